package io.github.cellfuse.opencl.device;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.OpenCl;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Finds and describes the OpenCL devices of this machine. */
public final class OpenClDevices {
    private OpenClDevices() {}

    /**
     * Returns the device that {@code wanted} names; of several, one that can be used, and a GPU rather than a CPU.
     *
     * @throws InvalidInputException if there is no such device; the message lists those that exist
     * @throws CellFuseException if it can't be used
     */
    public static ClDevice find(Device.OpenCl wanted) {
        ClDevice found = OpenCl.devices().stream()
                .filter(d -> wanted.platform() == Device.OpenCl.ANY || wanted.platform() == d.platformIndex())
                .filter(d -> wanted.index() == Device.OpenCl.ANY || wanted.index() == d.index())
                .min(Comparator.comparing(
                                (ClDevice d) -> d.capabilities().obstacle().isPresent())
                        .thenComparing(d -> kind(d.capabilities())))
                .orElseThrow(() -> missing(wanted));
        found.capabilities().obstacle().ifPresent(reason -> {
            throw new CellFuseException("device " + found + " " + DeviceInfo.OBSTACLE + ": " + reason);
        });
        return found;
    }

    private static CellFuseException missing(Device.OpenCl wanted) {
        List<DeviceInfo> there =
                OpenCl.devices().stream().map(OpenClDevices::describe).toList();
        if (there.isEmpty()) {
            return new InvalidInputException("device " + wanted + ": this machine has no OpenCL device: "
                    + String.join("; ", OpenCl.problems()));
        }
        return new InvalidInputException("device " + wanted + ": expected one of "
                + there.stream()
                        .map(info -> info.device() + " (" + info.name() + ")")
                        .collect(Collectors.joining(", ")));
    }

    /** Returns the name under which users choose {@code device}. */
    public static Device.OpenCl nameOf(ClDevice device) {
        return new Device.OpenCl(device.platformIndex(), device.index());
    }

    /** Returns what {@code cellfuse devices} prints about a device. */
    public static DeviceInfo describe(ClDevice device) {
        Capabilities has = device.capabilities();
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("platform", device.platformName());
        properties.put("version", has.version());
        properties.put("driver", has.driverVersion());
        properties.put("compute units", Integer.toString(has.computeUnits()));
        properties.put("clock", has.maxClockMhz() + " MHz");
        properties.put("memory", (has.globalMemoryBytes() >> 20) + " MiB");
        properties.put("largest buffer", (has.maxAllocationBytes() >> 20) + " MiB");
        properties.put("local memory", (has.localMemoryBytes() >> 10) + " KiB");
        properties.put("float vector", Integer.toString(has.nativeFloatWidth()));
        List<String> missing = missingForExact(has);
        if (!missing.isEmpty()) {
            properties.put("tolerance because it lacks", String.join(", ", missing));
        }
        has.obstacle().ifPresent(reason -> properties.put(DeviceInfo.OBSTACLE, reason));
        device.warning().ifPresent(warning -> properties.put("warning", warning));
        return new DeviceInfo(
                nameOf(device),
                kind(has),
                has.name(),
                missing.isEmpty() ? Tier.EXACT : Tier.TOLERANCE,
                properties,
                memory(has));
    }

    /** Returns the limits of the memory; of a driver that doesn't say how much there is, four largest buffers. */
    private static DeviceInfo.Memory memory(Capabilities has) {
        long all = has.globalMemoryBytes() > 0 ? has.globalMemoryBytes() : 4 * has.maxAllocationBytes();
        return new DeviceInfo.Memory(all, has.maxAllocationBytes());
    }

    /** Returns the float32 features that the numerical contract needs and the device doesn't promise. */
    public static List<String> missingForExact(Capabilities has) {
        List<String> missing = new ArrayList<>();
        if (!has.singlePrecision().fma()) {
            missing.add("fused multiply-add");
        }
        if (!has.singlePrecision().denorm()) {
            missing.add("denormals");
        }
        if (!has.singlePrecision().roundToNearest()) {
            missing.add("rounding to nearest");
        }
        if (!has.singlePrecision().infNan()) {
            missing.add("infinities and NaN");
        }
        return missing;
    }

    private static DeviceInfo.Kind kind(Capabilities has) {
        return switch (has.type()) {
            case GPU -> DeviceInfo.Kind.GPU;
            case ACCELERATOR -> DeviceInfo.Kind.ACCELERATOR;
            case CPU -> DeviceInfo.Kind.CPU;
            case CUSTOM -> DeviceInfo.Kind.OTHER;
        };
    }
}
