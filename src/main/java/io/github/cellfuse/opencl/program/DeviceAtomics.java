package io.github.cellfuse.opencl.program;

import io.github.cellfuse.cl.Capabilities;
import java.util.Optional;

/**
 * How a program is compiled in which work-groups of a GPU wait for each other: in an OpenCL C that has atomic
 * operations for the whole device ({@code kernels/arrivals.cl}). All other programs are OpenCL C 1.2, which has none.
 *
 * @param language the compiler's name of that OpenCL C: {@code CL2.0} or {@code CL3.0}
 * @param clock whether {@code cl_khr_kernel_clock} has a clock of the whole device ({@code kernels/clock.cl})
 */
public record DeviceAtomics(String language, boolean clock) {
    private static final String NVIDIA = "NVIDIA";

    /** Returns what {@code device} offers, whether its kernels need it or not. */
    public static Optional<DeviceAtomics> offeredBy(Capabilities device) {
        boolean ordersMemory =
                device.atomics().acquireRelease() && device.atomics().deviceScope();
        // OpenCL 3.0 requires OpenCL C 3.0, where this is optional. Where OpenCL C 2.0 exists, it is a part of it.
        String language = device.atLeast(3, 0) ? "CL3.0" : device.cVersion().startsWith("OpenCL C 2.") ? "CL2.0" : "";
        return ordersMemory && !language.isEmpty()
                ? Optional.of(new DeviceAtomics(language, device.deviceClock()))
                : Optional.empty();
    }

    /**
     * Returns what the kernels of {@code device} use: nothing on CPUs, whose fences reach all cores, nor on NVIDIA's
     * GPUs, which have PTX.
     */
    public static Optional<DeviceAtomics> of(Capabilities device) {
        boolean isNvidia = device.vendorFacts().computeCapability() > 0
                || device.vendor().startsWith(NVIDIA)
                || device.name().startsWith(NVIDIA);
        return device.type() == Capabilities.Type.GPU && !isNvidia ? offeredBy(device) : Optional.empty();
    }

    /** Returns the build options, with a space at the end. */
    public String options() {
        return "-cl-std=" + language + " -D DEVICE_ATOMICS=1 " + (clock ? "-D KERNEL_CLOCK=1 " : "");
    }
}
