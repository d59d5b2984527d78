package io.github.cellfuse.bench.peers;

import io.github.cellfuse.bench.Shape;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/**
 * What a match gave.
 *
 * @param task what was computed
 * @param shape in which size
 * @param seconds of each contender that took part, by round
 * @param peaks the multiply-add peak in each round, in operations per second; NaN where it can't be measured
 * @param waiting how the threads of each peer waited: the faster way
 * @param differences each peer's largest difference from CellFuse's y
 * @param idleShare processor time of waiting contenders as a share of the turns of the others
 * @param plan CellFuse's plan, and why
 */
record ShapeResult(
        Task task,
        Shape shape,
        Map<Contender, double[]> seconds,
        double[] peaks,
        Map<Contender, Waiting> waiting,
        Map<Contender, Double> differences,
        double idleShare,
        String plan) {

    /**
     * How often faster than a peer.
     *
     * @param peer the peer
     * @param median of the rounds' ratios
     * @param lower their lower quartile
     * @param upper their upper quartile
     */
    record Ratio(Contender peer, double median, double lower, double upper) {}

    /** Returns the contender's median, in seconds; empty when it doesn't take part. */
    Optional<Double> median(Contender contender) {
        return Optional.ofNullable(seconds.get(contender)).map(Statistics::median);
    }

    /**
     * Returns the peer with the lowest median: one peer for all rounds, since the luckiest of several in each round is
     * nobody's speed.
     */
    Optional<Contender> bestPeer() {
        return Contender.peers().stream()
                .filter(seconds::containsKey)
                .min(Comparator.comparingDouble(peer -> Statistics.median(seconds.get(peer))));
    }

    /** Returns the best peer's time over CellFuse's, paired by rounds. */
    Optional<Ratio> ratio() {
        double[] ours = seconds.get(Contender.OURS);
        if (ours == null) {
            return Optional.empty();
        }
        return bestPeer().map(peer -> {
            double[] ratios = Statistics.ratios(seconds.get(peer), ours);
            return new Ratio(
                    peer,
                    Statistics.median(ratios),
                    Statistics.quantile(0.25, ratios),
                    Statistics.quantile(0.75, ratios));
        });
    }

    /** CellFuse's speed as a share of the peak in the same round: the median; empty without either. */
    Optional<Double> ofPeak() {
        double[] ours = seconds.get(Contender.OURS);
        if (ours == null || Double.isNaN(peaks[0])) {
            return Optional.empty();
        }
        double[] shares = new double[ours.length];
        for (int round = 0; round < shares.length; round++) {
            shares[round] = shape.flops() / ours[round] / peaks[round];
        }
        return Optional.of(Statistics.median(shares));
    }
}
