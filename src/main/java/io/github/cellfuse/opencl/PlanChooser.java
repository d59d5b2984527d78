package io.github.cellfuse.opencl;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import java.util.Locale;
import java.util.Optional;

/**
 * Chooses the plan and the tile for a device and a shape. Every choice gives the same bits, so the rules below are about speed
 * alone; {@code docs/tuning.md} has the measurements behind them.
 */
final class PlanChooser {
    private static final int[] TILE_HEIGHTS = {6, 4, 3, 2, 1};

    /** What is left of a second-level cache (0.5 to 2 MiB a core on today's CPUs) beside the states. */
    private static final long SEQUENCE_WEIGHT_BYTES = 512 << 10;

    private PlanChooser() {}

    /**
     * The choice for {@code rows} rows and {@code steps} steps, or {@code forced} where the caller insists on a plan.
     *
     * @param weightBytes the weights of one direction of one layer
     */
    static PlanChoice choose(Capabilities device, long weightBytes, int rows, int steps, Optional<Plan> forced) {
        int vec = vec(device);
        int height = tileHeight(device, rows);
        String reason;
        Plan plan;
        if (forced.isPresent()) {
            plan = forced.get();
            reason = "as asked";
        } else if (rows < 4 && steps >= 8) {
            // With so few rows a step reads each weight for few multiply-adds and waits for the cache. The input's
            // weights need not be read every step: taken for many steps at once they serve full tiles.
            plan = Plan.HOISTED;
            reason = "fewer than 4 rows: the input's weights are read once for many steps";
        } else if (device.type() == Capabilities.Type.CPU
                && weightBytes <= SEQUENCE_WEIGHT_BYTES
                && rows >= (long) height * device.computeUnits()) {
            // Nothing is launched from step to step and the states stay in the core's cache, beside the weights.
            plan = Plan.SEQUENCE;
            reason = "a direction's weights fit a core's cache";
        } else {
            // Pre-activations that stay in registers save 32 bytes of traffic a cell and a launch a step.
            plan = Plan.FUSED;
            reason = "the pre-activations stay in registers";
        }
        Tile step = new Tile(vec, height, plan == Plan.HOISTED, plan != Plan.SEPARATE);
        Tile projection = new Tile(vec, tileHeight(device, (long) rows * steps), false, true);
        return new PlanChoice(
                plan,
                step,
                projection,
                plan.name().toLowerCase(Locale.ROOT) + " plan (" + reason + "), tile of " + step);
    }

    /** The tile of a large batch: its sums fill the registers. */
    static Tile largestTile(Capabilities device) {
        return new Tile(vec(device), maxTileHeight(device), false, true);
    }

    /** Lanes of a work-item: the width of the registers. What the weights are packed for, so one for a whole engine. */
    static int vec(Capabilities device) {
        if (device.type() != Capabilities.Type.CPU) {
            // A GPU vectorises across work-items. Four units each keep the loads of weights 16 bytes wide.
            return 4;
        }
        int width = device.nativeFloatWidth();
        // Not every driver knows its own registers (0 and 1 are common answers); 4 lanes exist on every CPU of today.
        return width >= 16 ? 16 : width >= 8 ? 8 : 4;
    }

    /** Rows of a work-item, so that the last tile is full or nearly: each tile costs its rows and a pass over the weights. */
    private static int tileHeight(Capabilities device, long rows) {
        int best = 1;
        long bestCost = Long.MAX_VALUE;
        for (int height : TILE_HEIGHTS) {
            if (height > maxTileHeight(device)) {
                continue;
            }
            long cost = (rows + height - 1) / height * (height + 1);
            if (cost < bestCost) {
                best = height;
                bestCost = cost;
            }
        }
        return best;
    }

    /** The rows whose sums fit the registers: four vectors each, and room for four weights and a broadcast. */
    static int maxTileHeight(Capabilities device) {
        if (device.type() != Capabilities.Type.CPU) {
            return 4; // 4 rows x 4 units x 4 gates = 64 registers of sums: two to four waves fit beside each other
        }
        boolean thirtyTwoRegisters =
                vec(device) == 16 || System.getProperty("os.arch").equals("aarch64");
        return thirtyTwoRegisters ? 6 : 3;
    }
}
