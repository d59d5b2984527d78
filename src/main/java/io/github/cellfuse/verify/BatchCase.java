package io.github.cellfuse.verify;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The cases that a device is verified with: random ones, and those where arithmetic goes wrong first. */
public enum BatchCase {
    /** Normally distributed features, full-length sequences, states of zeros. */
    RANDOM,
    /** Lengths from 0 to T, random initial states. */
    RAGGED,
    /** Features in the thousands: the functions are at their limits. */
    SATURATION,
    /** Pairs of large products that cancel almost entirely; the input weights are paired for that. */
    CANCELLATION,
    /** Denormal features and states, no biases. */
    DENORMALS,
    /** Features and states of zeros with either sign, no biases. */
    ZEROS,
    /** An infinity, or a number near the largest, in each row, at some step. */
    INFINITIES,
    /** NaNs with all kinds of payloads in some features and states. */
    NAN,
    /** Weights up to 2^100, or 2^15 if they are stored in float16. */
    HUGE_WEIGHTS,
    /** Weights of at most 2^-120, or 2^-20 if they are stored in float16. */
    TINY_WEIGHTS,
    /** Weights so small that sigmoid and tanh are nearly linear: saturation hides nothing. */
    LINEAR,
    /** Ten thousand steps of a few rows. Part of the set only if asked for. */
    DRIFT;

    private static final int DRIFT_STEPS = 10_000;

    /** A case of the set needs no more: it is about values, not about shapes. */
    private static final int MOST_ROWS = 12, MOST_STEPS = 16, DRIFT_ROWS = 2;

    /**
     * Returns the case with this name.
     *
     * @throws InvalidInputException if there is none; the message lists them
     */
    public static BatchCase of(String name) {
        return Arrays.stream(values())
                .filter(each -> each.toString().equals(name.trim().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("case: expected one of " + names() + ", found '" + name + "'"));
    }

    /** Returns all names, with commas between. */
    public static String names() {
        return Arrays.stream(values()).map(BatchCase::toString).collect(Collectors.joining(", "));
    }

    /** Returns the rows of this case in a set of cases of {@code rows} rows. */
    public int rows(int rows) {
        return switch (this) {
            case RANDOM, RAGGED -> rows;
            case DRIFT -> Math.min(rows, DRIFT_ROWS);
            default -> Math.min(rows, MOST_ROWS);
        };
    }

    /** Returns the steps of this case in a set of cases of {@code steps} steps. */
    public int steps(int steps) {
        return switch (this) {
            case RANDOM, RAGGED -> steps;
            case DRIFT -> DRIFT_STEPS;
            default -> Math.min(steps, MOST_STEPS);
        };
    }

    /** Returns whether this case changes the weights, so that it also makes sense with a user's input. */
    public boolean changesModel() {
        return switch (this) {
            case HUGE_WEIGHTS, TINY_WEIGHTS, LINEAR -> true;
            default -> false;
        };
    }

    /**
     * Returns the model of this case; {@code model} itself if the case doesn't change it.
     *
     * @param isFloat16 whether the weights are stored in float16, whose range is small
     */
    public LstmModel model(LstmModel model, boolean isFloat16) {
        return switch (this) {
            case CANCELLATION -> ScaledWeights.paired(model);
            case DENORMALS, ZEROS -> ScaledWeights.withoutBias(model);
            case HUGE_WEIGHTS -> ScaledWeights.upTo(model, isFloat16 ? 0x1p15f : 0x1p100f);
            case TINY_WEIGHTS -> ScaledWeights.upTo(model, isFloat16 ? 0x1p-20f : 0x1p-120f);
            case LINEAR -> ScaledWeights.linear(model);
            default -> model;
        };
    }

    /**
     * Returns the batch of this case.
     *
     * @throws InvalidInputException if a size is less than 1 or the batch is larger than a buffer
     */
    public LstmInput input(LstmModel model, Layout layout, int rows, int steps, long seed) {
        return switch (this) {
            case RAGGED -> RandomInput.ragged(model, layout, rows, steps, seed);
            case SATURATION, CANCELLATION, DENORMALS, ZEROS, INFINITIES, NAN ->
                new AdversarialInput(model, layout, rows, steps, seed).of(this);
            default -> RandomInput.full(model, layout, rows, steps, seed);
        };
    }

    /** Returns the name on the command line, such as {@code huge-weights}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
