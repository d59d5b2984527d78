package io.github.cellfuse.bench.peers;

/**
 * How long to measure.
 *
 * @param rounds turns of each contender
 * @param turnSeconds each turn is at least as long: short runs are repeated
 * @param warmSeconds before the first turn
 */
public record Effort(int rounds, double turnSeconds, double warmSeconds) {
    /** Returns the effort of a run of so many rounds; 0 for the usual number. A quick run shows only that all works. */
    public static Effort of(int rounds, boolean quick) {
        return quick
                ? new Effort(rounds == 0 ? 3 : rounds, 0.02, 0.05)
                : new Effort(rounds == 0 ? 9 : rounds, 0.15, 0.5);
    }
}
