package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.opencl.plan.Candidate;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Staging;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The tuned entries for one size of a layer, without those that this machine can't run. Immutable. */
public record TunedTable(List<TunedEntry> entries) {
    /** A table for a device that was never tuned. */
    public static final TunedTable EMPTY = new TunedTable(List.of());

    public TunedTable {
        entries = List.copyOf(entries);
    }

    /**
     * Returns the entries of {@code tuned} for {@code layer} that {@code chooser} can run, and warns of the others.
     *
     * @param file the file that {@code tuned} was read from
     */
    public static TunedTable of(Tuned tuned, TunedFile file, LayerSize layer, PlanChooser chooser) {
        List<TunedEntry> usable = new ArrayList<>();
        for (TunedEntry entry : tuned.entries()) {
            if (!entry.layer().equals(layer)) {
                continue;
            }
            if (chooser.mayRun(entry.candidate())) {
                usable.add(entry);
            } else {
                file.ignore("an entry for " + entry.rows() + " rows, " + unfit(entry.candidate()));
            }
        }
        return new TunedTable(usable);
    }

    private static String unfit(Candidate candidate) {
        SequenceGroups groups = candidate.groups();
        return candidate.staging().equals(Staging.NONE)
                ? "groups: expected work-items that may wait for each other here, found " + groups.rows() + "x"
                        + groups.units()
                : "staging: expected local memory and work-groups for it here, found " + candidate.staging();
    }

    /**
     * Returns the entry that serves a batch: of several the nearest, and of two that are equally near the one with more
     * rows.
     *
     * @param cooperative whether work-items may wait for each other
     */
    public Optional<TunedEntry> find(int rows, int steps, boolean cooperative) {
        return entries.stream()
                .filter(entry -> cooperative || !entry.candidate().groups().isCooperative())
                .filter(entry -> entry.serves(rows, steps))
                .min(Comparator.<TunedEntry>comparingDouble(entry -> entry.distance(rows, steps))
                        .thenComparing(TunedEntry::rows, Comparator.reverseOrder()));
    }
}
