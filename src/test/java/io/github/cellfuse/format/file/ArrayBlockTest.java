package io.github.cellfuse.format.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.TestEngines;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ArrayBlockTest {
    @Test
    void everyElementOfABlockOnceAndInItsPlace() {
        long seed = TestEngines.seed(20260317);
        System.out.println("ArrayBlockTest: -Dcellfuse.seed=" + seed);
        Random random = new Random(seed);
        for (int trial = 0; trial < 2000; trial++) {
            int rank = random.nextInt(5);
            long[] shape = new long[rank], offset = new long[rank], size = new long[rank];
            for (int axis = 0; axis < rank; axis++) {
                shape[axis] = random.nextInt(4);
                offset[axis] = random.nextInt((int) shape[axis] + 1);
                size[axis] = random.nextInt((int) (shape[axis] - offset[axis]) + 1);
            }
            ArrayBlock block = ArrayBlock.whole(shape);
            for (int axis = 0; axis < rank; axis++) {
                block = block.part(axis, offset[axis], size[axis]);
            }
            int[] found = new int[(int) block.elementCount()], expected = new int[found.length];
            for (int k = 0; k < found.length; k++) {
                int rest = k;
                long at = 0, step = 1;
                for (int axis = rank - 1; axis >= 0; axis--) {
                    at += (offset[axis] + rest % size[axis]) * step;
                    rest /= (int) size[axis];
                    step *= shape[axis];
                }
                expected[k] = (int) at;
                found[k] = -1;
            }
            block.forEach((inArray, inBlock, count) -> {
                for (int k = 0; k < count; k++) {
                    assertEquals(-1, found[inBlock + k]);
                    found[inBlock + k] = (int) inArray + k;
                }
            });
            assertArrayEquals(expected, found, block.toString());
        }
    }

    @Test
    void stretchesAreAsLongAsCanBe() {
        List<String> stretches = new ArrayList<>();
        ArrayBlock.whole(2, 3, 4, 5).part(1, 1, 2).forEach((a, b, n) -> stretches.add(a + "," + b + "," + n));
        assertEquals(List.of("20,0,40", "80,40,40"), stretches);
    }
}
