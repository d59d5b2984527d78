package io.github.cellfuse.verify;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Random;

/** Makes the batches of the adversarial cases. The same seed gives the same batch on every machine. */
final class AdversarialInput {
    private static final float SATURATING = 3000;

    private static final float[] EXTREMES = {
        Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, -Float.MAX_VALUE
    };

    /** Quiet and signaling NaNs of either sign. */
    private static final int[] NANS = {0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x7fffffff};

    private final LstmModel model;
    private final LstmInput random;
    private final FloatBuffer x;
    private final int rows, steps, width;
    private final Random choice;

    /** Starts from a random batch, which refuses invalid shapes. */
    AdversarialInput(LstmModel model, Layout layout, int rows, int steps, long seed) {
        this.model = model;
        this.rows = rows;
        this.steps = steps;
        random = RandomInput.full(model, layout, rows, steps, seed);
        x = random.x();
        width = model.inputSize();
        choice = new Random(seed ^ 0x5DEECE66DL);
    }

    /** Returns the batch of a case. */
    LstmInput of(BatchCase which) {
        switch (which) {
            case SATURATION -> replace((value, place) -> SATURATING * value);
            case CANCELLATION -> cancel();
            case DENORMALS -> {
                replace((value, place) -> denormal());
                return random.withInitialState(states(true));
            }
            case ZEROS -> {
                replace((value, place) -> zero());
                return random.withInitialState(states(false));
            }
            case INFINITIES -> onePerRow(row -> EXTREMES[row % EXTREMES.length]);
            case NAN -> {
                onePerRow(row -> Float.intBitsToFloat(NANS[row % NANS.length]));
                LstmState initial = LstmState.zeros(model, rows);
                initial.h()[choice.nextInt(initial.h().length)] = Float.NaN;
                initial.c()[choice.nextInt(initial.c().length)] = Float.NaN;
                return random.withInitialState(initial);
            }
            default -> throw new IllegalArgumentException(which.toString());
        }
        return random;
    }

    private float denormal() {
        return Float.intBitsToFloat(choice.nextInt() & 0x807FFFFF);
    }

    private float zero() {
        return choice.nextBoolean() ? 0.0f : -0.0f;
    }

    private LstmState states(boolean denormal) {
        LstmState initial = LstmState.zeros(model, rows);
        for (float[] values : new float[][] {initial.h(), initial.c()}) {
            for (int k = 0; k < values.length; k++) {
                values[k] = denormal ? denormal() : zero();
            }
        }
        return initial;
    }

    private interface Replacement {
        float of(float value, int place);
    }

    private void replace(Replacement replacement) {
        for (int k = 0; k < x.limit(); k++) {
            x.put(k, replacement.of(x.get(k), k));
        }
    }

    /** Large features in pairs that differ in the last bits. */
    private void cancel() {
        replace((value, place) -> {
            boolean isSecond = place % width % 2 == 1;
            if (!isSecond) {
                return place % width == width - 1 ? value : 0x1p14f * value;
            }
            float first = x.get(place - 1);
            return Float.intBitsToFloat(Float.floatToRawIntBits(first) ^ choice.nextInt(4));
        });
    }

    private interface OfRow {
        float of(int row);
    }

    /** Puts one value into each row, so that what becomes of it is seen by itself. */
    private void onePerRow(OfRow value) {
        for (int row = 0; row < rows; row++) {
            int step = choice.nextInt(steps), feature = choice.nextInt(width);
            x.put(random.offset(row, step, width) + feature, value.of(row));
        }
    }
}
