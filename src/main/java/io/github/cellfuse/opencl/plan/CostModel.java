package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Locale;

/**
 * Estimates the time of a candidate on a CPU: the work of its busiest core, at the measured speeds of the device. The
 * model exists to rank candidates, so it counts only what differs between them:
 *
 * <pre>
 *   panel    the products of a tile with the weights of a block of units: the time of the multiply-adds at the peak,
 *            with a constant for each tile, or the time to read the weights, whichever is longer, plus a tenth of the
 *            shorter one
 *   weights  the first tile of a panel reads them from the far cache, unless the core's share fits its own cache; a
 *            core that reverses its direction at every step finds in its cache as much as the cache holds; all other
 *            tiles read from the near cache
 *   cells    the non-linearities, as a number of multiply-adds
 *   turns    a launch for each step, or waiting for the other work-items
 *   hoisted  the input's products of all steps at once, which are written to memory and read back
 * </pre>
 *
 * The constants were fitted to 494 measurements of 42 shapes on one processor, and agree with measurements on another
 * ({@code docs/design/plans.md}). Immutable.
 *
 * @param speed the speeds of the device
 * @param layer the sizes of the layer
 * @param vec lanes of a tile
 * @param cores cores that run work-items side by side
 * @param sharedCache bytes of the cache that all cores share
 */
public record CostModel(DeviceSpeed speed, LayerSize layer, int vec, int cores, long sharedCache) {
    /** Vector multiply-adds that take as long as the cell of one vector of units. */
    private static final double CELL = 250;

    /**
     * What a tile costs besides its rows, in rows: its start and its reading of the weights, with one pass or with two.
     */
    private static final double ONE_PASS = 0.2, TWO_PASSES = 1.0;

    /** When two things overlap, the part of the shorter one that still adds to the time. */
    private static final double OVERLAP = 0.1;

    /** Empty launches that cost as much as a launch that has to wake the cores. */
    private static final double WAKING = 4;

    /**
     * Seconds until all cores see that the last one has arrived, and the average factor of waiting for a disturbed
     * core.
     */
    private static final double WAIT = 0.6e-6, DISTURBED = 1.03;

    /** Rows of the tiles that compute the input's products. */
    private static final int PROJECTION_ROWS = 6;

    /**
     * The seconds that one layer takes, by cause.
     *
     * @param multiplyAdds the products of whole tiles
     * @param weights the extra time to read the weights
     * @param cells the non-linearities
     * @param turns launches, and work-items that wait for each other
     * @param memory writing pre-activations to memory and reading them back
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

        /** Returns the name of the cause by which this cost exceeds {@code other} the most. */
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

        /** Returns the total, such as {@code 3.12 ms}. */
        @Override
        public String toString() {
            double ms = seconds() * 1e3;
            return String.format(Locale.ROOT, ms < 9.95 ? "%.2f ms" : ms < 99.5 ? "%.1f ms" : "%.0f ms", ms);
        }
    }

    private static final Cost NOTHING = new Cost(0, 0, 0, 0, 0);

    /** Returns the cost of {@code rows} rows and {@code steps} steps. */
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
        // Each core has a share of the panels, and processes several tiles of a panel in a row.
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
        // The cells run in a launch of their own, and read what the products wrote.
        double vectors = (double) rows * blocks() * layer.directions() / cores;
        return step.plus(launch())
                .plus(cells(1).times(vectors))
                .plus(new Cost(0, 0, 0, 0, vectors * 8 * vec * Float.BYTES / speed.far()));
    }

    /** Returns the cost of the input's products of all steps, which are written to memory and read back. */
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

    /** Returns the cost of a tile's products with a panel of {@code depth} k. */
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

    /**
     * Returns the seconds per byte when a core reads {@code bytes} of weights at every step.
     *
     * @param reverses whether the core reads them in the opposite direction at every other step
     */
    private double secondsPerByte(long bytes, boolean reverses) {
        if (bytes <= DeviceTraits.CORE_CACHE) {
            return 1 / speed.near();
        }
        double kept = reverses ? (double) DeviceTraits.CORE_CACHE / bytes : 0;
        // Beyond the shared cache, all cores share the bandwidth of the memory.
        double rest = layer.weightBytes(false) * layer.directions() <= sharedCache
                ? speed.far()
                : Math.min(speed.far(), speed.memory());
        return kept / speed.near() + (1 - kept) / rest;
    }

    /** Returns the seconds that a core takes for the multiply-add of a vector. */
    private double multiplyAdd() {
        return 2.0 * vec * cores / speed.flops();
    }

    /** Returns tiles times blocks of units times directions. */
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
