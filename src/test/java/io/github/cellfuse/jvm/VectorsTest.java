package io.github.cellfuse.jvm;

import static org.junit.jupiter.api.Assertions.fail;

import io.github.cellfuse.Bits;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The vectors against the plain loops, by bits. */
class VectorsTest {
    private static final ArithmeticChoice PLAIN = ArithmeticChoice.choose("off", true, "");
    private static final int BLOCK = 1 << 16;
    /** Around where the functions change: zero, denormals, the limits, infinity. */
    private static final float[] SPECIAL = {
        0.0f,
        Float.MIN_VALUE,
        Float.MIN_NORMAL,
        0x1p-130f,
        1.0f,
        9.01f,
        10.0f,
        20.0f,
        87.4f,
        88.8f,
        103.9f,
        104.0f,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NaN
    };

    static LongStream seeds() {
        long first = TestEngines.seed(5000);
        return LongStream.range(first, first + 40);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void randomLstmsGiveThePlainLoopsBits(long seed) {
        RandomLstm random = RandomLstm.any(seed);
        Bits.assertSame(random.toString(), run(PLAIN, random.model(), random.input()), vectors(random));
    }

    /** Every number of rows up to two tiles, and units on both sides of a block's edge. */
    @Test
    void everyTileAndEveryEdgeGivesThem() {
        Random random = new Random(TestEngines.seed(11));
        for (int units : new int[] {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64}) {
            LstmModel model = RandomLstm.model(random, 1, 5, units, units % 2 == 0, true);
            for (int rows = 1; rows <= 13; rows++) {
                LstmInput input = RandomLstm.input(random, model, rows, 3);
                Bits.assertSame("H=" + units + " N=" + rows, run(PLAIN, model, input), run(vectors(), model, input));
            }
        }
    }

    /** Chains that are longer than what a tile adds between two stores of its sums. */
    @Test
    void longChainsGiveThem() {
        Random random = new Random(TestEngines.seed(12));
        for (int inputs : new int[] {40, 63, 64, 65, 500}) {
            LstmModel model = RandomLstm.model(random, 1, inputs, 40, false, true);
            LstmInput input = RandomLstm.input(random, model, 9, 2);
            Bits.assertSame("I=" + inputs, run(PLAIN, model, input), run(vectors(), model, input));
        }
    }

    @Test
    void nanInfinityAndDenormalsGiveThem() {
        Random random = new Random(TestEngines.seed(13));
        LstmModel model = RandomLstm.model(random, 2, 3, 21, false, true);
        for (int repeat = 0; repeat < 20; repeat++) {
            int rows = 1 + random.nextInt(12);
            float[] x = RandomLstm.values(random, rows * 4 * 3, 1e-38f);
            for (int k = 0; k < x.length; k += 1 + random.nextInt(9)) {
                x[k] = SPECIAL[random.nextInt(SPECIAL.length)] * (random.nextBoolean() ? 1 : -1);
            }
            LstmInput input = LstmInput.batchMajor(x, rows, 4);
            Bits.assertSame("repeat " + repeat, run(PLAIN, model, input), run(vectors(), model, input));
        }
    }

    @Test
    void activationsOfEverySpecialFloatAndItsNeighboursAreThose() {
        float[] x = new float[SPECIAL.length * 2 * 64];
        for (int k = 0; k < x.length; k++) {
            float value = SPECIAL[k / 128];
            x[k] = Float.intBitsToFloat(Float.floatToRawIntBits(k % 2 == 0 ? value : -value) + k % 128 / 2 - 32);
        }
        checkActivations(x);
    }

    /**
     * One float of 509: a prime, so that no bit is always the same. {@code -Dcellfuse.stride=1} takes all, in two
     * minutes.
     */
    @Test
    void activationsOfManyFloatsAreThose() {
        int stride = Integer.getInteger("cellfuse.stride", 509);
        long count = (1L << 32) / stride;
        IntStream.range(0, (int) (count / BLOCK)).parallel().forEach(block -> {
            float[] x = new float[BLOCK];
            for (int k = 0; k < BLOCK; k++) {
                x[k] = Float.intBitsToFloat((int) (((long) block * BLOCK + k) * stride));
            }
            checkActivations(x);
        });
    }

    private static void checkActivations(float[] x) {
        float[] sigmoid = x.clone(), tanh = x.clone();
        VectorActivations.sigmoid(sigmoid, 0, x.length);
        VectorActivations.tanh(tanh, 0, x.length);
        for (int k = 0; k < x.length; k++) {
            if (!Bits.same(Activations.sigmoid(x[k]), sigmoid[k])) {
                fail("sigmoid(" + Float.toHexString(x[k]) + "): " + Float.toHexString(sigmoid[k]));
            }
            if (!Bits.same(Activations.tanh(x[k]), tanh[k])) {
                fail("tanh(" + Float.toHexString(x[k]) + "): " + Float.toHexString(tanh[k]));
            }
        }
    }

    private static ArithmeticChoice vectors() {
        return ArithmeticChoice.choose("on", true, "io.github.cellfuse.jvm.VectorArithmetic");
    }

    private static LstmOutput vectors(RandomLstm random) {
        return run(vectors(), random.model(), random.input());
    }

    private static LstmOutput run(ArithmeticChoice arithmetic, LstmModel model, LstmInput input) {
        try (LstmEngine engine = new JavaEngine(
                        model, EngineOptions.DEFAULT, new ModelWeights(model, () -> arithmetic, () -> arithmetic, 0));
                LstmSession session = engine.newSession()) {
            return session.run(input);
        }
    }
}
