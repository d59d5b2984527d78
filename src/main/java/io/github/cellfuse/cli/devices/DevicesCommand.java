package io.github.cellfuse.cli.devices;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.Version;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cellfuse devices}: lists the devices, and the one that {@code auto} chooses. */
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "List the devices, their tiers, and the device that auto chooses.",
        description = {
            "",
            "A device's tier says what it guarantees. An exact device computes the same bits as every other exact"
                    + " device. A device in the tolerance tier only keeps the error bound; auto never chooses it."
                    + " The reference computes in double precision, and the others are judged by it.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {"  cellfuse devices", "  cellfuse devices --json"})
public final class DevicesCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    DevicesCommand() {}

    @Override
    public void run() {
        List<DeviceInfo> devices = Device.all();
        List<String> problems = Device.problems();
        AutoDevice.Candidate auto = Device.auto();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Json.print(out, toJson(devices, problems, auto));
        } else {
            print(out, devices, problems, auto);
        }
    }

    private static void print(
            PrintWriter out, List<DeviceInfo> devices, List<String> problems, AutoDevice.Candidate auto) {
        for (DeviceInfo info : devices) {
            out.println(info.device() + (info.device().equals(auto.device()) ? "  (auto)" : ""));
            line(out, "name", info.name());
            line(out, "kind", info.kind().toString());
            line(out, "tier", lower(info.tier()) + ": " + meaning(info.tier()));
            info.properties().forEach((name, value) -> line(out, name, value));
            out.println();
        }
        out.println("auto chooses " + auto.device() + ": " + auto.reason());
        // The reason already includes the problem that made auto avoid OpenCL.
        problems.stream()
                .filter(problem -> !auto.reason().contains(problem))
                .forEach(problem -> out.println("problem: " + problem));
    }

    private static void line(PrintWriter out, String name, String value) {
        out.printf(Locale.ROOT, "  %-16s %s%n", name, value);
    }

    private static Map<String, Object> toJson(
            List<DeviceInfo> devices, List<String> problems, AutoDevice.Candidate auto) {
        Map<String, Object> choice = new LinkedHashMap<>();
        choice.put("device", auto.device().toString());
        choice.put("reason", auto.reason());
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("format", "cellfuse-devices-1");
        all.put("auto", choice);
        all.put("devices", devices.stream().map(DevicesCommand::toJson).toList());
        all.put("problems", problems);
        return all;
    }

    private static Map<String, Object> toJson(DeviceInfo info) {
        Map<String, Object> device = new LinkedHashMap<>();
        device.put("device", info.device().toString());
        device.put("name", info.name());
        device.put("kind", info.kind().toString().toLowerCase(Locale.ROOT));
        device.put("tier", lower(info.tier()));
        device.put("tier_reason", meaning(info.tier()));
        device.put("properties", info.properties());
        return device;
    }

    private static String lower(Tier tier) {
        return tier.toString().toLowerCase(Locale.ROOT);
    }

    private static String meaning(Tier tier) {
        return switch (tier) {
            case EXACT -> "the same bits as every exact device";
            case TOLERANCE -> "only keeps the error bound: it lacks a float32 feature that exact bits require";
            case REFERENCE -> "double precision; judges the others' errors";
        };
    }
}
