package io.github.cellfuse.verify;

import java.util.ArrayList;
import java.util.List;

/** Tallies of a tensor by time step; neighboring steps are combined if there are many. */
final class StepRanges {
    /** The largest number of ranges of time steps in a report. */
    private static final int RANGES = 24;

    private final int steps, perRange;
    private final Tally[] tallies;

    StepRanges(int steps) {
        this.steps = steps;
        perRange = (steps + RANGES - 1) / RANGES;
        tallies = new Tally[(steps + perRange - 1) / perRange];
        for (int k = 0; k < tallies.length; k++) {
            tallies[k] = new Tally();
        }
    }

    /** Returns the tally of a time step. */
    Tally of(int time) {
        return tallies[time / perRange];
    }

    /** Adds what another has found in later elements. */
    void add(StepRanges other) {
        for (int k = 0; k < tallies.length; k++) {
            tallies[k].add(other.tallies[k]);
        }
    }

    /** Returns the tally of all steps. */
    Tally all() {
        Tally all = new Tally();
        for (Tally tally : tallies) {
            all.add(tally);
        }
        return all;
    }

    List<StepRange> result() {
        List<StepRange> ranges = new ArrayList<>();
        for (int k = 0; k < tallies.length; k++) {
            int last = Math.min(steps, (k + 1) * perRange) - 1;
            ranges.add(new StepRange(k * perRange, last, tallies[k].result()));
        }
        return ranges;
    }
}
