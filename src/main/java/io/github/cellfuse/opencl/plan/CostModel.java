package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Locale;

/**
 * What a candidate should cost on a CPU: the sum of what its busiest core does, from the device's measured speeds. It is there to
 * rank candidates, and ranks by what they differ in:
 *
 * <pre>
 *   panel   the products of a tile with the weights of a block of units: multiply-adds at the peak, and a fixed part of a row's worth
 *           for each tile, or as long as the weights take to come, whichever is more, and a tenth of the other
 *   weights come from the far cache for the first tile of a panel, unless the core's share of them stays in its own; a core that goes
 *           through its share in turning directions finds as much as its cache holds; every other tile has them from the near cache
 *   cells   the non-linearities, which cost as much as so many multiply-adds
 *   turns   a launch for each step, or waiting for the others
 *   hoisted the input's products for all steps at once, and their way through memory
 * </pre>
 *
 * The constants were fitted to 494 measurements of 42 shapes on one processor and agree with what is known from another
 * ({@code docs/tuning.md}). Immutable.
 *
 * @param speed of the device
 * @param layer the sizes
 * @param vec lanes of a tile
 * @param cores that run work-items side by side
 * @param sharedCache bytes of the cache that all cores share
 */
public record CostModel(DeviceSpeed speed, LayerSize layer, int vec, int cores, long sharedCache) {
    /** Bytes of weights that stay in a core's own cache: today's CPUs have 0.5 to 2 MiB of it. */
    static final long CORE_CACHE = 1 << 20;

    /** Multiply-adds of vectors that take as long as the cell of a vector of units. */
    private static final double CELL = 250;

    /** What a tile costs beside its rows, in rows: setting out, and going over the weights; with two passes over the rows, too. */
    private static final double ONE_PASS = 0.2, TWO_PASSES = 1.0;

    /** The part of the shorter of two things that overlap which shows all the same. */
    private static final double OVERLAP = 0.1;

    /** A launch that wakes the cores costs so many empty ones. */
    private static final double WAKING = 4;

    /** Seconds until all cores know that the last one has arrived, and what waiting for a disturbed one adds on average. */
    private static final double WAIT = 0.6e-6, DISTURBED = 1.03;

    /** Rows of the tiles that make the input's products. */
    private static final int PROJECTION_ROWS = 6;

    /**
     * Seconds of one layer.
     *
     * @param multiplyAdds the products, whole tiles
     * @param weights what waiting for the weights adds
     * @param cells the non-linearities
     * @param turns launches, and waiting for each other
     * @param memory the way of pre-activations through memory
     */
    record Cost(double multiplyAdds, double weights, double cells, double turns, double memory) {
        double seconds() {
            return multiplyAdds + weights + cells + turns + memory;
        }

        private Cost plus(Cost other) {
            return new Cost(
                    multiplyAdds + other.multiplyAdds,
                    weights + other.weights,
                    cells + other.cells,
                    turns + other.turns,
                    memory + other.memory);
        }

        private Cost times(double factor) {
            return new Cost(multiplyAdds * factor, weights * factor, cells * factor, turns * factor, memory * factor);
        }

        /** What this has most more of than {@code other}. */
        String excessOver(Cost other) {
            String[] names = {
                "multiply-adds", "reading of weights", "cells", "launches and waits", "pre-activations in memory"
            };
            double[] excess = {
                multiplyAdds - other.multiplyAdds,
                weights - other.weights,
                cells - other.cells,
                turns - other.turns,
                memory - other.memory
            };
            int most = 0;
            for (int k = 1; k < excess.length; k++) {
                most = excess[k] > excess[most] ? k : most;
            }
            return names[most];
        }

        /** {@code 3.12 ms}. */
        @Override
        public String toString() {
            double ms = seconds() * 1e3;
            return String.format(Locale.ROOT, ms < 9.95 ? "%.2f ms" : ms < 99.5 ? "%.1f ms" : "%.0f ms", ms);
        }
    }

    private static final Cost NOTHING = new Cost(0, 0, 0, 0, 0);

    /** The cost of {@code rows} rows and {@code steps} steps. */
    Cost of(Candidate candidate, int rows, int steps) {
        Cost step = candidate.plan() == Plan.SEQUENCE ? sequenceStep(candidate, rows) : launchedStep(candidate, rows);
        Cost all = step.times(steps);
        if (candidate.plan() == Plan.SEQUENCE) {
            all = all.plus(launch());
        }
        return candidate.hoisted() ? all.plus(projection(rows, steps)) : all;
    }

    private Cost sequenceStep(Candidate candidate, int rows) {
        long tiles = ceil(rows, candidate.rows());
        long bytes = layer.weightBytes(candidate.hoisted());
        SequenceGroups groups = candidate.groups();
        if (!groups.isCooperative()) {
            // Every work-item reads all weights of its direction for each of its steps.
            Cost panel = panel(candidate, secondsPerByte(bytes, true)).plus(cells(candidate.rows()));
            return panel.times(ceil(tiles * layer.directions(), cores) * blocks());
        }
        long blocks = ceil(blocks(), groups.units()), others = ceil(tiles, groups.rowGroups((int) tiles)) - 1;
        Cost first = panel(candidate, secondsPerByte(bytes / groups.units(), true));
        return first.plus(panel(candidate, 1 / speed.near()).times(others))
                .plus(cells(candidate.rows()).times(1 + others))
                .times(blocks)
                .plus(new Cost(0, 0, 0, WAIT, 0))
                .times(DISTURBED * layer.directions());
    }

    private Cost launchedStep(Candidate candidate, int rows) {
        // A core has several tiles of a panel, one after the other, and a share of the panels.
        long tiles = ceil(panels(rows, candidate.rows()), cores);
        long first = Math.min(tiles, ceil((long) blocks() * layer.directions(), cores));
        long bytes = layer.weightBytes(candidate.hoisted()) * layer.directions() / cores;
        Cost step = panel(candidate, secondsPerByte(bytes, false))
                .times(first)
                .plus(panel(candidate, 1 / speed.near()).times(tiles - first))
                .plus(launch());
        if (candidate.plan() != Plan.SEPARATE) {
            return step.plus(cells(candidate.rows()).times(tiles));
        }
        // The cells have a launch of their own, and read what the products wrote.
        double vectors = (double) rows * blocks() * layer.directions() / cores;
        return step.plus(launch())
                .plus(cells(1).times(vectors))
                .plus(new Cost(0, 0, 0, 0, vectors * 8 * vec * Float.BYTES / speed.far()));
    }

    /** The input's products of all steps, which reach memory and come back. */
    private Cost projection(int rows, int steps) {
        long all = (long) rows * steps;
        Candidate tile = new Candidate(Plan.HOISTED, PROJECTION_ROWS, 4, 0, true, SequenceGroups.EACH_TILE);
        double bytes = 2.0 * all * blocks() * layer.directions() * 4 * vec * Float.BYTES;
        return panel(layer.inputs(), tile, 1 / speed.near())
                .times(ceil(panels(all, PROJECTION_ROWS), cores))
                .plus(launch())
                .plus(new Cost(0, 0, 0, 0, bytes / speed.memory()));
    }

    private Cost panel(Candidate candidate, double secondsPerByte) {
        return panel(layer.recurrent() + (candidate.hoisted() ? 0 : layer.inputs()), candidate, secondsPerByte);
    }

    /** A tile's products with a panel of {@code depth} k. */
    private Cost panel(int depth, Candidate tile, double secondsPerByte) {
        double products = (tile.rows() + (tile.gates() == 4 ? ONE_PASS : TWO_PASSES)) * depth * 4 * multiplyAdd();
        double weights = 4.0 * vec * depth * layer.weights().bytes() * secondsPerByte;
        return new Cost(products, Math.max(0, weights - products) + OVERLAP * Math.min(weights, products), 0, 0, 0);
    }

    private Cost cells(int rows) {
        return new Cost(0, 0, rows * CELL * multiplyAdd(), 0, 0);
    }

    private Cost launch() {
        return new Cost(0, 0, 0, WAKING * speed.launch(), 0);
    }

    /** Seconds for each of {@code bytes} of weights that a core reads in every step. */
    private double secondsPerByte(long bytes, boolean turning) {
        if (bytes <= CORE_CACHE) {
            return 1 / speed.near();
        }
        double kept = turning ? (double) CORE_CACHE / bytes : 0;
        // Beyond the shared cache all cores have the memory together.
        double rest = layer.weightBytes(false) * layer.directions() <= sharedCache
                ? speed.far()
                : Math.min(speed.far(), speed.memory());
        return kept / speed.near() + (1 - kept) / rest;
    }

    /** Seconds of a core for the multiply-add of a vector. */
    private double multiplyAdd() {
        return 2.0 * vec * cores / speed.flops();
    }

    /** Tiles times blocks of units times directions. */
    private long panels(long rows, int height) {
        return ceil(rows, height) * blocks() * layer.directions();
    }

    private int blocks() {
        return Tile.blocks(layer.units(), vec);
    }

    private static long ceil(long size, long part) {
        return (size + part - 1) / part;
    }
}
