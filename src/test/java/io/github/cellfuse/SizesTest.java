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
        LstmInput input = new LstmInput(Layout.BATCH_MAJOR, 1 << 11, 1 << 11, NONE, null, null);
        assertRefused(
                "input [N,T,I]: 4294967296 values are more than one buffer holds (2147483647); use a smaller batch",
                () -> input.check(model));
    }

    @Test
    void anIndexBeyondABufferIsNotAnotherOnes() {
        LstmInput input = new LstmInput(Layout.TIME_MAJOR, 1 << 20, 1 << 11, NONE, null, null);
        assertThrows(ArithmeticException.class, () -> input.offset(0, 1 << 10, 1 << 2));
        assertEquals(5 << 20, input.offset(1 << 20, 4, 1));
    }

    @Test
    void timeSlotsBeyondAnArrayAreRefused() {
        LstmInput input = new LstmInput(Layout.TIME_MAJOR, 1, Integer.MAX_VALUE, NONE, null, null);
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
                () -> new LstmWeights(most, most, most, one, one, null, null, null));
    }

    private static void assertRefused(String message, Runnable action) {
        assertEquals(
                message, assertThrows(InvalidInputException.class, action::run).getMessage());
    }
}
