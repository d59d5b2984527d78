package io.github.cellfuse.opencl.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.Capabilities.VendorFacts;
import io.github.cellfuse.opencl.device.GpuCore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the cores of GPUs have, by what their drivers report. */
class GpuCoreTest {
    private static GpuCore core(String name, String vendor, int units, int capability, int wave) {
        return GpuCore.of(Described.gpu(name, vendor, units, 48 << 10, 1024, new VendorFacts(capability, wave)));
    }

    /** NVIDIA's guide has the KiB of shared memory of a multiprocessor, and its float units: four times the lanes. */
    @ParameterizedTest
    @CsvSource({
        "70, 96, 64",
        "72, 96, 64",
        "75, 64, 64",
        "80, 164, 64",
        "86, 100, 128",
        "87, 164, 128",
        "89, 100, 128",
        "90, 228, 128",
        "100, 228, 128",
        "120, 100, 128",
        "130, 100, 128"
    })
    void multiprocessorsOfNvidia(int capability, int localKib, int floatUnits) {
        GpuCore core = core("NVIDIA", "NVIDIA Corporation", 132, capability, 32);
        assertEquals(new GpuCore(132, 32, 4, floatUnits / 4, localKib << 10, 65536, 16 * 132), core);
    }

    /** Before Volta, what the driver says is all that is known. */
    @Test
    void olderOnesAreAsTheDriverSays() {
        assertEquals(new GpuCore(20, 32, 4, 32, 48 << 10, 65536, 20), core("GTX", "NVIDIA Corporation", 20, 61, 32));
    }

    @ParameterizedTest
    @CsvSource({
        "gfx906:sramecc+:xnack-, 60, 64, 16, 64, 65536, 60",
        "gfx90a:sramecc+:xnack-, 104, 64, 16, 64, 131072, 104",
        "gfx942, 304, 64, 16, 64, 131072, 304",
        "gfx1030, 40, 32, 32, 128, 131072, 80",
        "gfx1100, 48, 32, 32, 128, 196608, 96",
        "gfx1201, 32, 32, 32, 128, 196608, 64"
    })
    void computeUnitsOfAmd(String name, int units, int wave, int lanes, int localKib, long registers, int together) {
        assertEquals(
                new GpuCore(units, wave, 4, lanes, localKib << 10, registers, together),
                core(name, "Advanced Micro Devices, Inc.", units, 0, wave));
    }

    @Test
    void coresOfIntelHaveSixteenEngines() {
        GpuCore core = core("Intel(R) Arc(TM) A770 Graphics", "Intel(R) Corporation", 512, 0, 0);
        assertEquals(new GpuCore(32, 16, 16, 8, 128 << 10, 131072, 64), core);
    }

    /** Up to 16 of the compute units that the driver counts are one core, which may hold a single group. */
    @Test
    void unitsOfAnotherIntelMayShareACore() {
        GpuCore core = core("Intel(R) UHD Graphics 630", "Intel(R) Corporation", 24, 0, 0);
        assertEquals(new GpuCore(24, 32, 4, 32, 48 << 10, 65536, 1), core);
    }

    /** A driver may not know its compute units; there is at least one core. */
    @Test
    void anUnknownGpuHasWhatItsDriverSays() {
        Capabilities unknown = Described.gpu("a GPU", "a vendor", 0, 32 << 10, 256, VendorFacts.NONE);
        assertEquals(new GpuCore(1, 32, 4, 32, 32 << 10, 65536, 1), GpuCore.of(unknown));
    }
}
