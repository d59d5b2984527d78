package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.spi.RowOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sizes beyond an int are refused before they can wrap around. */
class SizesTest {
    private static final FloatBuffer NONE = FloatBuffer.allocate(0);

    @Test
    void aBatchBeyondABufferIsRefused() {
        LstmModel model = RandomLstm.model(new Random(1), 1, 1 << 10, 3, false, true);
        // 2^32 values: as an int that is 0, which is what the buffer holds.
        LstmInput input = LstmInput.of(Layout.BATCH_MAJOR, NONE, 1 << 11, 1 << 11);
        assertRefused(
                "input [N,T,I]: 4294967296 values are more than one buffer holds (2147483647); use a smaller batch",
                () -> input.check(model));
    }

    @Test
    void anIndexBeyondABufferIsNotAnotherOnes() {
        LstmInput input = LstmInput.of(Layout.TIME_MAJOR, NONE, 1 << 20, 1 << 11);
        assertThrows(ArithmeticException.class, () -> input.offset(0, 1 << 10, 1 << 2));
        assertEquals(5 << 20, input.offset(1 << 20, 4, 1));
    }

    @Test
    void timeSlotsBeyondAnArrayAreRefused() {
        LstmInput input = LstmInput.of(Layout.TIME_MAJOR, NONE, 1, Integer.MAX_VALUE);
        assertRefused(
                "time slots [T+2]: 2147483649 values are more than one buffer holds (2147483647); use a smaller batch",
                () -> new RowOrder(input));
    }

    @Test
    void weightsBeyondALongAreRefused() {
        int most = Integer.MAX_VALUE;
        float[] one = new float[1];
        assertRefused(
                "input weights [4H,I]: the size overflows 64 bits",
                () -> LstmWeights.builder(most, most).input(one).recurrent(one).build());
    }

    private static void assertRefused(String message, Runnable action) {
        assertEquals(
                message, assertThrows(InvalidInputException.class, action::run).getMessage());
    }
}
