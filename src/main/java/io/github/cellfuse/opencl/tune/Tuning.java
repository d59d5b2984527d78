package io.github.cellfuse.opencl.tune;

import java.util.List;
import java.util.Optional;

/** The measurements of one shape, from {@link Tuner}. Immutable. */
public final class Tuning {
    /**
     * The measurement of one candidate.
     *
     * @param candidate the plan and its tile, for people
     * @param seconds the median time of a run
     * @param ratio the median, over the rounds, of its time divided by the time of the usual choice
     * @param isFinalist whether it was measured again after the screening, as the usual choice always is; times of
     *     finalists and of others come from different rounds
     * @param isUsual whether it is the choice without tuning
     * @param isWinner whether it is the fastest candidate that is clearly ahead of the usual choice
     */
    public record Measured(
            String candidate, double seconds, double ratio, boolean isFinalist, boolean isUsual, boolean isWinner) {}

    private final TunedEntry.Key key;
    private final List<Measured> measured;
    private final TunedEntry winner;

    Tuning(TunedEntry.Key key, List<Measured> measured, TunedEntry winner) {
        this.key = key;
        this.measured = List.copyOf(measured);
        this.winner = winner;
    }

    /** Returns the finalists, the fastest first, then the others, the fastest first. */
    public List<Measured> measured() {
        return measured;
    }

    /** Returns what a winner is stored under. */
    TunedEntry.Key key() {
        return key;
    }

    /** Returns the entry to store; empty if no candidate beat the usual choice. */
    Optional<TunedEntry> winner() {
        return Optional.ofNullable(winner);
    }
}
