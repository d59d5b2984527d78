package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Locale;

/**
 * A way to run a batch, to be measured and stored: what may be chosen freely, without what follows from the choice or
 * from the device. Every candidate gives the same bits.
 *
 * @param plan the kernels of a step
 * @param rows rows of a work-item's tile: 1 to {@value #MAX_ROWS}
 * @param gates gates whose sums the registers hold at once: 4 in one pass, 2 in two passes
 * @param prefetch cache lines of the next weights prefetched with every 4 k: 0 to {@value #MAX_PREFETCH}
 * @param hoisted whether the input's product is computed for many steps at once: always under {@link Plan#HOISTED},
 *     possible under {@link Plan#SEQUENCE}
 * @param groups how work-items share the layer: {@link SequenceGroups#EACH_TILE} except under {@link Plan#SEQUENCE}
 * @param staging how a work-group stages the tile in local memory, or {@link Staging#NONE}
 */
public record Candidate(
        Plan plan, int rows, int gates, int prefetch, boolean hoisted, SequenceGroups groups, Staging staging) {
    public static final int MAX_ROWS = 16;
    public static final int MAX_PREFETCH = 4;

    /** Creates a candidate whose tile is not staged. */
    public Candidate(Plan plan, int rows, int gates, int prefetch, boolean hoisted, SequenceGroups groups) {
        this(plan, rows, gates, prefetch, hoisted, groups, Staging.NONE);
    }

    /** Returns the candidate that {@code choice} was made from. */
    public static Candidate of(PlanChoice choice) {
        Tile tile = choice.step();
        return new Candidate(
                choice.plan(),
                tile.rows(),
                tile.gates(),
                tile.prefetch(),
                tile.hoisted(),
                choice.groups(),
                tile.staging());
    }

    Candidate withPrefetch(int lines) {
        return new Candidate(plan, rows, gates, lines, hoisted, groups, staging);
    }

    /** Returns the tile of a step, in blocks of {@code vec} units: the lanes of the device. */
    Tile tile(int vec) {
        return new Tile(vec, rows, gates, prefetch, hoisted, plan != Plan.SEPARATE, staging);
    }

    /** Returns the plan for people, such as {@code sequence plan, hoisted}. */
    public String name() {
        boolean unsaid = hoisted && plan != Plan.HOISTED;
        return plan.name().toLowerCase(Locale.ROOT) + " plan" + (unsaid ? ", hoisted" : "");
    }

    /** Returns a line for a table, such as {@code sequence, hoisted, 13 rows in two passes, 1x2 cooperative}. */
    @Override
    public String toString() {
        return name().replace(" plan", "") + ", " + rows + (rows == 1 ? " row" : " rows")
                + (gates == 4 ? "" : " in two passes")
                + (prefetch == 0 ? "" : ", prefetch " + prefetch)
                + (staging.equals(Staging.NONE) ? "" : ", groups of " + staging.units() + "x" + staging.rows())
                + (groups.isCooperative() ? ", " + groups.rows() + "x" + groups.units() + " cooperative" : "");
    }
}
