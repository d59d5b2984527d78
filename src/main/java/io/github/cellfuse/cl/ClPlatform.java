package io.github.cellfuse.cl;

import java.util.List;

/**
 * One OpenCL implementation on this machine and its devices: GPUs first, then accelerators, CPUs and custom devices,
 * each in the driver's order. Immutable.
 *
 * @param index its place in {@link OpenCl#platforms()}, the loader's order
 * @param version such as {@code "OpenCL 3.0 PoCL …"}
 */
public record ClPlatform(
        int index, String name, String vendor, String version, List<String> extensions, List<ClDevice> devices) {
    public ClPlatform {
        extensions = List.copyOf(extensions);
        devices = List.copyOf(devices);
    }
}
