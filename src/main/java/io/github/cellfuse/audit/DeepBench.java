package io.github.cellfuse.audit;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What the audited kernels allow at DeepBench's shapes on three devices, as a prediction beside the times that their vendors' libraries are
 * published with. The input's product is left out, as DeepBench does: 8·H²·N·T operations.
 */
final class DeepBench {
    /** Seconds from one launch of a queue to the next; an assumption. */
    static final double LAUNCH = 5e-6;

    /**
     * A device's public figures.
     *
     * @param target the nearest that is audited
     * @param units compute units
     * @param flops operations a second in float32
     * @param bandwidth bytes a second
     * @param cache bytes that all compute units share
     * @param source where the figures stand
     */
    record Gpu(String name, String target, int units, double flops, double bandwidth, long cache, String source) {}

    static final List<Gpu> GPUS = List.of(
            new Gpu(
                    "V100",
                    "sm_75",
                    80,
                    15.7e12,
                    900e9,
                    6L << 20,
                    "NVIDIA Tesla V100 data sheet (SXM2), Volta white paper"),
            new Gpu(
                    "MI25",
                    "gfx906",
                    64,
                    12.3e12,
                    484e9,
                    4L << 20,
                    "AMD Radeon Instinct MI25 data sheet, Vega white paper"),
            new Gpu(
                    "H100",
                    "sm_90",
                    132,
                    66.9e12,
                    3.35e12,
                    50L << 20,
                    "NVIDIA H100 data sheet (SXM), Hopper white paper"));

    /**
     * A shape and the published forward times.
     *
     * @param v100 milliseconds in float32, MIOpen's on MI25 in the other
     */
    record Shape(int hidden, int rows, int steps, double v100, double mi25) {
        OptionalDouble published(Gpu gpu) {
            return switch (gpu.name) {
                case "V100" -> OptionalDouble.of(v100);
                case "MI25" -> OptionalDouble.of(mi25);
                default -> OptionalDouble.empty();
            };
        }

        double flop() {
            return 8.0 * hidden * hidden * rows * steps;
        }

        @Override
        public String toString() {
            return hidden + "×" + rows + "×" + steps;
        }
    }

    static final List<Shape> SHAPES = List.of(
            new Shape(512, 16, 25, 1.095, 2.32),
            new Shape(512, 128, 25, 1.559, 4.809),
            new Shape(1024, 128, 25, 3.249, 9.533),
            new Shape(2048, 128, 25, 9.294, 24.62),
            new Shape(4096, 128, 25, 31.17, 83.95),
            new Shape(1536, 32, 50, 5.574, 13.89),
            new Shape(256, 64, 150, 6.70, 16.03));

    /**
     * A predicted time: the longest of three.
     *
     * @param kernel the variant that has the least
     */
    record Time(String kernel, double compute, double memory, double launches) {
        double seconds() {
            return Math.max(compute, Math.max(memory, launches));
        }

        String limit() {
            return seconds() == compute ? "multiply-adds" : seconds() == memory ? "memory" : "launches";
        }
    }

    private DeepBench() {}

    /** The least time of all fused steps that were audited on the device's target; empty where none was, or no registers are known. */
    static Optional<Time> predict(Gpu gpu, Shape shape, List<AuditResult> results) {
        return results.stream()
                .filter(result -> result.target().name().equals(gpu.target))
                .filter(result -> result.variant().kernel().startsWith("lstm_step")
                        && result.variant().title().startsWith("fused"))
                .flatMap(result -> result.prediction().stream().map(share -> time(gpu, shape, result, share.ofPeak())))
                .min(Comparator.comparingDouble(Time::seconds));
    }

    /**
     * Whole tiles are computed, and the busiest compute unit counts: a device of 80 units that gets 96 work-groups takes as long as
     * for 160. Weights and states come from memory once when they fit into the shared cache together, and else in every step.
     */
    private static Time time(Gpu gpu, Shape shape, AuditResult result, double share) {
        long tiles = ceil(shape.rows, result.variant().rows())
                * ceil(4L * shape.hidden, result.variant().columns());
        double work = 2.0 * tiles * result.variant().rows() * result.variant().columns() * shape.hidden * shape.steps;
        ComputeUnit unit = result.target().unit();
        int group = result.variant().workGroup();
        // Without a work-group of its own size a kernel's waves spread over all SIMDs.
        long parts = group > 0 ? tiles : ceil(tiles, unit.lanes()),
                places = (long) gpu.units * (group > 0 ? 1 : unit.simds());
        double busy = (double) parts / (ceil(parts, places) * places);

        double weights = 16.0 * shape.hidden * shape.hidden, states = 4.0 * shape.rows * shape.hidden;
        boolean fits = weights + 3 * states <= gpu.cache;
        double bytes = fits ? weights + shape.steps * states : shape.steps * (weights + 4 * states);
        return new Time(
                result.variant().toString(),
                work / (gpu.flops * share * busy),
                bytes / gpu.bandwidth,
                shape.steps * LAUNCH);
    }

    private static long ceil(long size, long part) {
        return (size + part - 1) / part;
    }
}
