package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;

/**
 * The winner for one size of a layer and of a batch. It serves batches of a similar size, too. Immutable.
 *
 * @param layer the size of the layer
 * @param rows rows {@code N} of the measured batch, at least 1
 * @param steps time steps {@code T} of the measured batch, at least 1
 * @param candidate the winner
 * @param ahead the time that the winner saves, in percent of the time of the usual choice
 */
public record TunedEntry(LayerSize layer, int rows, int steps, Candidate candidate, int ahead) {
    /** With this many steps or more, the cost of a step no longer depends on their number. */
    static final int MANY_STEPS = 16;

    /** What an entry is stored under: a later measurement with the same key replaces it. */
    record Key(LayerSize layer, int rows, int steps) {}

    Key key() {
        return new Key(layer, rows, steps);
    }

    /**
     * Returns whether a batch is similar enough: with half to twice the measured rows, and half to twice the measured
     * steps, where more than {@value #MANY_STEPS} steps count as {@value #MANY_STEPS}.
     */
    boolean serves(int batchRows, int batchSteps) {
        return near(rows, batchRows) && near(many(steps), many(batchSteps));
    }

    /** Returns how far a batch is from the measured one: 0 for the same size. */
    double distance(int batchRows, int batchSteps) {
        return ratio(rows, batchRows) + ratio(many(steps), many(batchSteps)) + 1e-3 * ratio(steps, batchSteps);
    }

    private static int many(int steps) {
        return Math.min(steps, MANY_STEPS);
    }

    private static boolean near(int measured, int other) {
        return other <= 2L * measured && measured <= 2L * other;
    }

    private static double ratio(int measured, int other) {
        return Math.abs(Math.log((double) measured / other));
    }

    /** Returns the reason for {@link PlanChoice#reason}. */
    public String reason() {
        return "tuned: " + ahead + " % less time than the usual choice at " + rows + " rows x " + steps + " steps";
    }
}
