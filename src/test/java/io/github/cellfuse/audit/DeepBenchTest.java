package io.github.cellfuse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class DeepBenchTest {
    private static final DeepBench.Gpu GPU = new DeepBench.Gpu("MI25", "gfx906", 64, 10e12, 500e9, 4 << 20, "");

    private static DeepBench.Time time(DeepBench.Shape shape, int rows, int columns) {
        AuditResult result = Variants.amd(
                Variants.tiled("lstm_step_tiled", rows, columns), AmdText.kernel("lstm_step_tiled", 60, 0));
        double share = result.prediction().orElseThrow().ofPeak();
        DeepBench.Time time = DeepBench.predict(GPU, shape, List.of(result)).orElseThrow();
        // without the kernel's share, so that the rest can be computed by hand
        return new DeepBench.Time("", time.compute() * share, time.memory(), time.launches());
    }

    @Test
    void theBusiestUnitCounts() {
        // 32 work-groups on 64 units: half of 10 TFLOP/s
        DeepBench.Shape shape = new DeepBench.Shape(1024, 128, 25, 1, 1);
        assertEquals(shape.flop() / 5e12, time(shape, 128, 128).compute(), 1e-12);
        // 16 of 128 rows exist, and are computed all the same
        DeepBench.Shape few = new DeepBench.Shape(1024, 16, 25, 1, 1);
        assertEquals(shape.flop() / 5e12, time(few, 128, 128).compute(), 1e-12);
    }

    @Test
    void weightsThatDontFitTheCacheAreReadInEveryStep() {
        // 16 MiB of weights in 4 MiB of cache, with 512 KiB of states four times
        double bytes = 25 * (16.0 * 1024 * 1024 + 4 * 4.0 * 128 * 1024);
        assertEquals(
                bytes / 500e9,
                time(new DeepBench.Shape(1024, 128, 25, 1, 1), 128, 128).memory(),
                1e-12);
        double once = 16.0 * 256 * 256 + 150 * 4.0 * 64 * 256;
        assertEquals(
                once / 500e9,
                time(new DeepBench.Shape(256, 64, 150, 1, 1), 128, 128).memory(),
                1e-12);
    }

    @Test
    void aLaunchForEachStep() {
        assertEquals(
                25 * DeepBench.LAUNCH,
                time(new DeepBench.Shape(1024, 128, 25, 1, 1), 128, 128).launches(),
                1e-12);
        assertEquals("launches", new DeepBench.Time("", 1, 2, 3).limit());
    }

    @Test
    void nothingIsPredictedForATargetThatWasntAudited() {
        DeepBench.Gpu other = new DeepBench.Gpu("V100", "sm_75", 80, 1, 1, 1, "");
        AuditResult result =
                Variants.amd(Variants.tiled("lstm_step_tiled", 8, 8), AmdText.kernel("lstm_step_tiled", 60, 0));
        assertTrue(DeepBench.predict(other, DeepBench.SHAPES.get(0), List.of(result))
                .isEmpty());
    }
}
