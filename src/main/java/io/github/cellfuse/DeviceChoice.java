package io.github.cellfuse;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A device that {@code auto} would take.
 *
 * @param device the device
 * @param reason one sentence on why
 */
public record DeviceChoice(Device device, String reason) {

    /**
     * What {@code auto} tries, the best first; {@code java}, which is always there, comes last.
     *
     * @param problems explain what isn't there
     */
    static List<DeviceChoice> among(List<DeviceInfo> devices, List<String> problems) {
        List<DeviceChoice> exact = devices.stream()
                .filter(info -> info.device() instanceof Device.OpenCl)
                // A device that only holds the error bound is never picked unasked: auto promises the same bits
                // everywhere.
                .filter(info -> info.tier() == Tier.EXACT)
                // Kind's order is the order of preference; sorting keeps the order of equals.
                .sorted(Comparator.comparing(DeviceInfo::kind))
                .map(info ->
                        new DeviceChoice(info.device(), "the first exact OpenCL " + info.kind() + ": " + info.name()))
                .toList();
        String otherwise = problems.isEmpty() ? "no OpenCL device in the exact tier" : String.join("; ", problems);
        return Stream.concat(exact.stream(), Stream.of(new DeviceChoice(Device.JAVA, otherwise)))
                .toList();
    }
}
