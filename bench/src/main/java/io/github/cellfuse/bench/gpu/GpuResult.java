package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.peers.Statistics;
import java.util.Map;
import java.util.Optional;

/**
 * What the turns on one shape gave.
 *
 * @param shape the sizes
 * @param device CellFuse's seconds by the device's clock, by round; empty where it doesn't take part
 * @param wall CellFuse's seconds with both transfers, by round; empty where it doesn't take part
 * @param peers the seconds of each peer that took part, by round
 * @param differences each peer's largest difference from CellFuse's y
 * @param failures by name, why a contender that runs here wasn't timed: a wrong result, or an error
 * @param plan CellFuse's plan, and why
 */
record GpuResult(
        Shape shape,
        double[] device,
        double[] wall,
        Map<GpuPeer, double[]> peers,
        Map<GpuPeer, Double> differences,
        Map<String, String> failures,
        String plan) {

    /** A ratio over the rounds: its median and quartiles. */
    record Ratio(double median, double lower, double upper) {}

    /** Returns a peer's median, in seconds; empty when it doesn't take part. */
    Optional<Double> median(GpuPeer peer) {
        return Optional.ofNullable(peers.get(peer)).map(Statistics::median);
    }

    /** Returns CellFuse's median by the device's clock, in seconds. */
    Optional<Double> deviceMedian() {
        return device.length == 0 ? Optional.empty() : Optional.of(Statistics.median(device));
    }

    /** Returns CellFuse's median with both transfers, in seconds. */
    Optional<Double> wallMedian() {
        return wall.length == 0 ? Optional.empty() : Optional.of(Statistics.median(wall));
    }

    /**
     * Returns torch's time in strict float32 over CellFuse's, both by the device's clock and paired by rounds. Nothing
     * less precise counts.
     */
    Optional<Ratio> ratio() {
        double[] strict = peers.get(GpuPeer.TORCH_FP32);
        if (strict == null || device.length == 0) {
            return Optional.empty();
        }
        double[] ratios = Statistics.ratios(strict, device);
        return Optional.of(new Ratio(
                Statistics.median(ratios), Statistics.quantile(0.25, ratios), Statistics.quantile(0.75, ratios)));
    }
}
