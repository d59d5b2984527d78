package io.github.cellfuse.opencl.tune;

import java.util.List;
import java.util.Optional;

/** What {@link Tuner} found for one shape. Immutable. */
public final class Tuning {
    /**
     * A candidate.
     *
     * @param candidate the plan and its tile
     * @param seconds the median time of a run
     * @param ratio the median over the rounds of its time as a share of the usual choice's in the same round
     * @param isFinalist whether it was measured again after the screening, as the usual choice is: times of the two don't compare
     * @param isUsual whether it is chosen without measuring it
     * @param isWinner whether it is clearly ahead of the usual choice, and the fastest that is
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

    /** The finalists, then the others, each the fastest first. */
    public List<Measured> measured() {
        return measured;
    }

    TunedEntry.Key key() {
        return key;
    }

    /** Empty when the usual choice stands. */
    Optional<TunedEntry> winner() {
        return Optional.ofNullable(winner);
    }
}
