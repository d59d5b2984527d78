package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import java.util.List;

/** Texts of tuned files, for tests in other packages. */
public final class TunedTexts {
    private static final Capabilities DEVICE = new Capabilities(
            Capabilities.Type.CPU,
            "a device",
            "its vendor",
            "OpenCL 1.2",
            "OpenCL C 1.2",
            "1.0",
            2,
            1000,
            1L << 30,
            1 << 20,
            64,
            1L << 28,
            Capabilities.LocalMemory.GLOBAL,
            1 << 15,
            4096,
            List.of(4096L, 4096L, 4096L),
            8,
            8,
            new Capabilities.FloatConfig(true, true, true, false, false, true, false, true),
            Capabilities.AtomicConfig.NONE,
            false,
            1024,
            true,
            1,
            true,
            true,
            true,
            List.of(),
            Capabilities.VendorFacts.NONE);

    private TunedTexts() {}

    /** Returns a whole text. */
    public static String text() {
        List<TunedEntry> entries = List.of(
                new TunedEntry(
                        new LayerSize(6, 40, 40, 1),
                        16,
                        64,
                        new Candidate(Plan.FUSED, 16, 2, 4, false, SequenceGroups.EACH_TILE),
                        7),
                new TunedEntry(
                        new LayerSize(6, 40, 40, 1),
                        64,
                        8,
                        new Candidate(Plan.SEQUENCE, 13, 2, 0, true, new SequenceGroups(1, 2)),
                        7));
        return TunedText.write(DEVICE, new Tuned(new DeviceSpeed(1e11, 1e10, 1e10, 1e10, 1e-5), entries));
    }

    /** Returns whether a text can be used. */
    public static boolean isUsable(String text) {
        try {
            TunedText.read(text, DEVICE);
            return true;
        } catch (TunedText.Unusable e) {
            return false;
        }
    }
}
