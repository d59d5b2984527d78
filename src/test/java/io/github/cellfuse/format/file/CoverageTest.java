package io.github.cellfuse.format.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CoverageTest {
    @Test
    void agreesWithABitSet() {
        Random random = new Random(1);
        for (int run = 0; run < 200; run++) {
            Coverage coverage = new Coverage();
            BitSet bits = new BitSet();
            for (int k = 0; k < 30; k++) {
                int first = random.nextInt(50);
                int end = first + random.nextInt(8);
                coverage.add(first, end);
                bits.set(first, end);
                assertEquals(bits.nextClearBit(0), coverage.firstMissing());
            }
        }
    }
}
