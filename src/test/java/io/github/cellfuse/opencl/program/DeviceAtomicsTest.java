package io.github.cellfuse.opencl.program;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.Capabilities.AtomicConfig;
import io.github.cellfuse.cl.Capabilities.VendorFacts;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.plan.Described;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The OpenCL C in which work-groups of a GPU may wait for each other. */
class DeviceAtomicsTest {
    private static String options(Capabilities device) {
        return DeviceAtomics.of(device).map(DeviceAtomics::options).orElse("");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gfx90a                | Advanced Micro Devices, Inc. | OpenCL 2.0 AMD-APP | 0  | true  | true  | false | CL2.0
            Intel(R) Arc(TM) A770 | Intel(R) Corporation         | OpenCL 3.0 NEO     | 0  | true  | true  | true  | CL3.0
            a GPU                 | a vendor                     | OpenCL 3.0         | 0  | true  | true  | false | CL3.0
            a GPU                 | a vendor                     | OpenCL 3.0         | 0  | true  | false | true  |
            a GPU                 | a vendor                     | OpenCL 3.0         | 0  | false | true  | true  |
            a GPU                 | a vendor                     | OpenCL 1.2         | 0  | true  | true  | true  |
            # They have PTX. PoCL's driver for them doesn't tell the compute capability.
            NVIDIA H100           | NVIDIA Corporation           | OpenCL 3.0 CUDA    | 90 | true  | true  | true  |
            NVIDIA H100           | NVIDIA Corporation           | OpenCL 3.0 PoCL    | 0  | true  | true  | true  |
            """)
    void kernelsThatWaitAreInTheLanguageThatHasTheOperations(
            String name,
            String vendor,
            String version,
            int capability,
            boolean ordered,
            boolean scope,
            boolean clock,
            String language) {
        AtomicConfig atomics = new AtomicConfig(ordered, scope);
        VendorFacts facts = new VendorFacts(capability, 32);
        String expected = language == null
                ? ""
                : "-cl-std=" + language + " -D DEVICE_ATOMICS=1 " + (clock ? "-D KERNEL_CLOCK=1 " : "");
        assertEquals(expected, options(Described.gpu(name, vendor, version, 64, 64 << 10, 256, facts, atomics, clock)));
    }

    /** On a CPU fences reach all cores, so its programs stay as they are. */
    @Test
    void processorsDoWithoutThem() {
        Capabilities device = TestDevices.first().capabilities();
        if (device.type() == Capabilities.Type.CPU) {
            assertEquals(Optional.empty(), DeviceAtomics.of(device));
        }
        if (device.version().contains("OpenCL 3.0 PoCL")) {
            assertEquals(Optional.of(new DeviceAtomics("CL3.0", false)), DeviceAtomics.offeredBy(device));
        }
    }
}
