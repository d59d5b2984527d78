package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.Capabilities.AtomicConfig;
import io.github.cellfuse.cl.Capabilities.LocalMemory;
import io.github.cellfuse.cl.Capabilities.VendorFacts;
import io.github.cellfuse.cl.TestDevices;
import java.util.List;

/** Device descriptions, so that tests of choices don't depend on the machine. */
public final class Described {
    private Described() {}

    /** Returns a device without dedicated local memory. */
    public static Capabilities device(Capabilities.Type type, String version, int computeUnits, int width) {
        return device(type, version, computeUnits, width, LocalMemory.GLOBAL, 32 << 10, 4096);
    }

    /** Returns a GPU with dedicated local memory. */
    public static Capabilities gpu(int computeUnits, long localBytes, long workItems) {
        return device(
                Capabilities.Type.GPU,
                "OpenCL 2.0 AMD-APP",
                computeUnits,
                1,
                LocalMemory.DEDICATED,
                localBytes,
                workItems);
    }

    /** Returns a GPU that exists. */
    static Capabilities gpu(
            String name, String vendor, int computeUnits, long localBytes, long workItems, VendorFacts facts) {
        return gpu(name, vendor, "OpenCL 3.0", computeUnits, localBytes, workItems, facts, AtomicConfig.NONE, false);
    }

    /** Returns the same GPU with another version, atomic operations, and maybe a clock of the whole device. */
    public static Capabilities gpu(
            String name,
            String vendor,
            String version,
            int computeUnits,
            long localBytes,
            long workItems,
            VendorFacts facts,
            AtomicConfig atomics,
            boolean deviceClock) {
        return device(
                Capabilities.Type.GPU,
                name,
                vendor,
                version,
                computeUnits,
                1,
                LocalMemory.DEDICATED,
                localBytes,
                workItems,
                facts,
                atomics,
                deviceClock);
    }

    private static Capabilities device(
            Capabilities.Type type,
            String version,
            int computeUnits,
            int width,
            LocalMemory local,
            long localBytes,
            long workItems) {
        return device(
                type,
                "a described device",
                "its vendor",
                version,
                computeUnits,
                width,
                local,
                localBytes,
                workItems,
                VendorFacts.NONE,
                AtomicConfig.NONE,
                false);
    }

    private static Capabilities device(
            Capabilities.Type type,
            String name,
            String vendor,
            String version,
            int computeUnits,
            int width,
            LocalMemory local,
            long localBytes,
            long workItems,
            VendorFacts facts,
            AtomicConfig atomics,
            boolean deviceClock) {
        Capabilities real = TestDevices.first().capabilities();
        return new Capabilities(
                type,
                name,
                vendor,
                version,
                version.startsWith("OpenCL 2.") ? "OpenCL C 2.0" : real.cVersion(),
                real.driverVersion(),
                computeUnits,
                real.maxClockMhz(),
                real.globalMemoryBytes(),
                32 << 20,
                real.globalCacheLineBytes(),
                real.maxAllocationBytes(),
                local,
                localBytes,
                workItems,
                List.of(workItems, workItems, workItems),
                width,
                width,
                real.singlePrecision(),
                atomics,
                deviceClock,
                real.addressAlignBits(),
                real.hostUnifiedMemory(),
                real.timerResolutionNanos(),
                real.littleEndian(),
                true,
                true,
                List.of(),
                facts);
    }
}
