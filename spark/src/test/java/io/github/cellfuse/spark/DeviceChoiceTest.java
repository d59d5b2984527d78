package io.github.cellfuse.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Tier;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The device that Spark scheduled is used, or there is an error. */
class DeviceChoiceTest {
    private static DeviceInfo device(int platform, int index, DeviceInfo.Kind kind, Map<String, String> properties) {
        return new DeviceInfo(
                new Device.OpenCl(platform, index), kind, kind + " " + platform + "." + index, Tier.EXACT, properties);
    }

    private static final DeviceInfo CPU = device(0, 0, DeviceInfo.Kind.CPU, Map.of());
    private static final DeviceInfo FIRST = device(1, 0, DeviceInfo.Kind.GPU, Map.of());
    private static final DeviceInfo UNUSABLE =
            device(1, 1, DeviceInfo.Kind.GPU, Map.of(DeviceInfo.OBSTACLE, "it has no compiler"));
    private static final DeviceInfo SECOND = device(2, 0, DeviceInfo.Kind.GPU, Map.of());

    @Test
    void addressesCountTheGpus() {
        List<DeviceInfo> all = List.of(CPU, FIRST, UNUSABLE, SECOND);
        assertEquals(FIRST, DeviceChoice.gpu("0", all, List.of()));
        assertEquals(SECOND, DeviceChoice.gpu("1", all, List.of()));
    }

    @Test
    void noGpuIsAnErrorThoughThereIsAProcessor() {
        assertEquals(
                "Spark scheduled GPU 0 for this task: expected at least 1 OpenCL GPU here, found 0; the OpenCL devices"
                        + " are: opencl:0.0 (CPU, CPU 0.0), opencl:1.1 (GPU, GPU 1.1, can't be used: it has no"
                        + " compiler); no platform of the vendor",
                assertThrows(
                                CellFuseException.class,
                                () -> DeviceChoice.gpu(
                                        "0", List.of(CPU, UNUSABLE), List.of("no platform of the vendor")))
                        .getMessage());
        assertEquals(
                "Spark scheduled GPU GPU-3b2a for this task: expected a number as its address, as the discovery script"
                        + " of the worker prints it, found 1; the OpenCL devices are: opencl:1.0 (GPU, GPU 1.0)",
                assertThrows(CellFuseException.class, () -> DeviceChoice.gpu("GPU-3b2a", List.of(FIRST), List.of()))
                        .getMessage());
    }

    @Test
    void refusesOtherNames() {
        assertThrows(InvalidInputException.class, () -> DeviceChoice.check("cuda:0"));
        DeviceChoice.check("auto");
        DeviceChoice.check("opencl:1.0");
        assertEquals("auto", DeviceChoice.of("auto", null).toString());
    }
}
