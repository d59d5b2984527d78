package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;

/**
 * What measuring found for a layer's size and a batch's, and which other batches it serves.
 *
 * @param layer the sizes of the layer
 * @param rows the rows {@code N} it was measured with, at least 1
 * @param steps the time steps {@code T} it was measured with, at least 1
 * @param candidate the winner
 * @param ahead by how much of the time of the usual choice it was ahead, in percent
 */
public record TunedEntry(LayerSize layer, int rows, int steps, Candidate candidate, int ahead) {
    /** From so many steps on a step costs the same, however many follow. */
    static final int MANY_STEPS = 16;

    /** What is measured once: a later measurement of the same replaces it. */
    record Key(LayerSize layer, int rows, int steps) {}

    Key key() {
        return new Key(layer, rows, steps);
    }

    /**
     * Whether a batch is near enough: rows between half and twice those measured, and steps likewise, where {@value #MANY_STEPS} and
     * more count as {@value #MANY_STEPS}.
     */
    boolean serves(int batchRows, int batchSteps) {
        return near(rows, batchRows) && near(many(steps), many(batchSteps));
    }

    /** How far a batch is from the one measured: 0 for the same. */
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

    /** For {@link PlanChoice#reason}. */
    public String reason() {
        return "tuned: " + ahead + " % less time than the usual choice at " + rows + " rows x " + steps + " steps";
    }
}
