package io.github.cellfuse.cli.devices;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.Device;
import io.github.cellfuse.cli.Cli;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class DevicesCommandTest {
    @Test
    void listsEveryDeviceWithItsTierAndAutosChoice() {
        Cli.Result result = Cli.run("devices").assertDone();
        assertEquals("", result.err());
        for (String part : new String[] {"java", "reference", "opencl:0.0", "exact: ", "compute units", "(auto)"}) {
            assertTrue(result.out().contains(part), part + " in " + result.out());
        }
        assertTrue(result.out().contains("auto chooses " + Device.auto().device() + ": "), result.out());
    }

    @Test
    void theJsonHasTheDocumentedKeys() {
        JsonObject json = JsonParser.parseString(
                        Cli.run("devices", "--json").assertDone().out())
                .getAsJsonObject();
        assertEquals(Set.of("format", "auto", "devices", "problems"), json.keySet());
        assertEquals("cellfuse-devices-1", json.get("format").getAsString());
        assertEquals(Set.of("device", "reason"), json.getAsJsonObject("auto").keySet());
        assertEquals(
                Device.auto().device().toString(),
                json.getAsJsonObject("auto").get("device").getAsString());
        List<JsonObject> devices = StreamSupport.stream(
                        json.getAsJsonArray("devices").spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .toList();
        for (JsonObject device : devices) {
            assertEquals(Set.of("device", "name", "kind", "tier", "tier_reason", "properties"), device.keySet());
            assertTrue(Set.of("gpu", "accelerator", "cpu", "other")
                    .contains(device.get("kind").getAsString()));
            assertTrue(Set.of("exact", "tolerance", "reference")
                    .contains(device.get("tier").getAsString()));
        }
        assertEquals(
                Device.all().stream().map(info -> info.device().toString()).toList(),
                devices.stream()
                        .map(device -> device.get("device").getAsString())
                        .toList());
    }
}
