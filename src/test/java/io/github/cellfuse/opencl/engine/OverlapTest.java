package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.TestEngines;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The parts in which a batch is moved, and the threads that copy them. */
class OverlapTest {
    /** 8 MiB. */
    private static final int BLOCK = 1 << 21;

    /** Sizes as in {@link RunSizes}: 512 features have a stride of 528. */
    @ParameterizedTest(name = "{0} steps of {1} rows of {2} floats: {3} a part")
    @CsvSource({
        "0, 16, 528, 1",
        "1, 1, 1, 1",
        "64, 1, 528, 64", // 0.1 MiB
        "64, 16, 528, 32", // 2 MiB: two parts
        "64, 64, 528, 16", // 8 MiB: four
        "64, 256, 528, 7", // 33 MiB: ten
        "128, 4096, 64, 8", // 128 MiB: the most parts, in a block each
        "64, 4096, 528, 4", // a slot doesn't fit a block
        "2, 65536, 512, 1"
    })
    void aPartHasAMebibyteToABlock(int steps, int rows, int stride, int expected) {
        assertEquals(expected, Overlap.stepsOfPart(steps, (long) rows * stride, BLOCK));
    }

    @Test
    void aBatchHasAtMostSixteenPartsAndNoneBelowAMebibyteButTheLast() {
        Random random = new Random(TestEngines.seed(74));
        for (int round = 0; round < 10_000; round++) {
            int steps = 1 + random.nextInt(1 << random.nextInt(14));
            long slot = 1 + random.nextInt(1 << random.nextInt(24));
            int found = Overlap.stepsOfPart(steps, slot, BLOCK);
            int parts = (steps + found - 1) / found;
            String what = steps + " steps of " + slot + " floats: " + found + " a part";
            assertTrue(found >= 1 && parts <= 16, what);
            assertTrue(parts == 1 || (found + 1) * slot > BLOCK / 8, what);
        }
    }

    @ParameterizedTest(name = "{0} cores: {1} threads each way")
    @CsvSource({"1, 1", "2, 1", "3, 1", "4, 2", "16, 8", "128, 8"})
    void bothWaysShareTheCores(int cores, int expected) {
        assertEquals(expected, CopyThreads.eachWay(cores));
    }
}
