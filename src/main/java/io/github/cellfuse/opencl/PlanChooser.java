package io.github.cellfuse.opencl;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Chooses the plan and the tile for a device and a shape. Every choice gives the same bits, so the rules below are about speed
 * alone; {@code docs/tuning.md} has the measurements behind them. Immutable.
 */
final class PlanChooser {
    private static final int[] TILE_HEIGHTS = {6, 4, 3, 2, 1};
    private static final int[] TWO_PASS_HEIGHTS_32 = {13, 11, 8};
    private static final int[] TWO_PASS_HEIGHTS_16 = {6, 5, 4};

    /** Bytes that stay in a core's second-level cache beside the states: today's CPUs have 0.5 to 2 MiB of it. */
    private static final long CORE_CACHE_BYTES = 1 << 20;

    /** Weights that every work-item of a sequence may read in every step. */
    private static final long SEQUENCE_WEIGHT_BYTES = CORE_CACHE_BYTES / 2;

    /** Weights times rows below which a step is taken to be shorter than waiting for each other is worth. */
    private static final long BYTES_WORTH_SHARING = 256 << 10;

    /** From here on a step is long enough that handing it out anew costs nothing, and evens out what disturbs a core. */
    private static final int ROWS_FOR_LAUNCHES = 192;

    /** With fewer rows, reading a weight from the far cache takes about as long as using it. */
    private static final int ROWS_FOR_HOISTING = 48;

    /** A chunk of steps that is worth taking together for the input's product. */
    private static final int STEPS_FOR_HOISTING = 8;

    /** Candidates of a shape at most: each costs a tuning run its compilation. */
    static final int MAX_CANDIDATES = 14;

    /** From here on fetching weights ahead may pay, if only a little: they don't fit a core's nearest cache. */
    private static final long PREFETCH_CANDIDATE_BYTES = CORE_CACHE_BYTES / 4;

    /** A sequence of a tile reads all weights in every step; with more of them than this it was never near the others. */
    private static final long SEQUENCE_CANDIDATE_BYTES = 8 * CORE_CACHE_BYTES;

    private final Capabilities device;
    private final LayerSize layer;
    private final int processors;

    PlanChooser(Capabilities device, LayerSize layer) {
        this(device, layer, Runtime.getRuntime().availableProcessors());
    }

    /** For a process that may use {@code processors} cores. */
    PlanChooser(Capabilities device, LayerSize layer, int processors) {
        this.device = device;
        this.layer = layer;
        this.processors = processors;
    }

    /**
     * The choice for {@code rows} rows and {@code steps} steps, or {@code forced} where the caller insists on a plan.
     *
     * @param together whether work-items may wait for each other
     */
    PlanChoice choose(int rows, int steps, Optional<Plan> forced, boolean together) {
        Groups groups = groups(rows, together);
        boolean staysInCache = layer.weightBytes() <= CORE_CACHE_BYTES * groups.units();
        boolean hoists = !staysInCache && rows < ROWS_FOR_HOISTING && steps >= STEPS_FOR_HOISTING;
        if (forced.isPresent()) {
            Plan plan = forced.get();
            boolean hoisted = plan == Plan.HOISTED || plan == Plan.SEQUENCE && groups.together() && hoists;
            return choice(plan, groups, hoisted, rows, steps, "as asked");
        }
        if (onCpu() && fitsSequence(rows)) {
            // Nothing is launched from step to step and the states stay in the core's cache, beside the weights.
            return choice(Plan.SEQUENCE, groups, false, rows, steps, "a direction's weights fit a core's cache");
        }
        if (groups.together() && rows < ROWS_FOR_LAUNCHES && steps > 1) {
            // Each core keeps its share of the weights in its cache, and a step begins without a launch. The input's
            // weights
            // would crowd out the recurrent ones; taken for many steps at once they are read once for all of these.
            String reason = "each core keeps to its share of the weights"
                    + (hoists ? ", and the input's are read once for many steps" : "");
            return choice(Plan.SEQUENCE, groups, hoists, rows, steps, reason);
        }
        if (hoists) {
            // With so few rows a step reads each weight for few multiply-adds and waits for the cache.
            return choice(
                    Plan.HOISTED,
                    groups,
                    true,
                    rows,
                    steps,
                    "few rows: the input's weights are read once for many steps");
        }
        // Pre-activations that stay in registers save 32 bytes of traffic a cell and a launch a step.
        return choice(Plan.FUSED, groups, false, rows, steps, "the pre-activations stay in registers");
    }

    /** Whether the weights find room in a core's cache, and each core has a tile of rows or the step is too small to share. */
    private boolean fitsSequence(int rows) {
        return layer.weightBytes() <= SEQUENCE_WEIGHT_BYTES
                && (tiles(rows, smallTile(rows, cores())) >= cores()
                        || layer.weightBytes() * rows < BYTES_WORTH_SHARING);
    }

    private PlanChoice choice(Plan plan, Groups groups, boolean hoisted, int rows, int steps, String reason) {
        Groups used = plan == Plan.SEQUENCE ? groups : Groups.EACH_TILE;
        Tile tile = plan == Plan.SEQUENCE
                ? smallTile(rows, used.together() ? used.rows() : cores())
                : bestTile(onePass(), rows, 1);
        return choice(candidate(plan, tile, used, hoisted, rows), rows, steps, reason);
    }

    /** {@code candidate} for a batch, whoever came up with it: {@link #mayRun} of it must be true. */
    PlanChoice choice(Candidate candidate, int rows, int steps, String reason) {
        Plan plan = candidate.plan();
        Tile tile = candidate.tile(vec(device));
        Tile projection = bestTile(onePass(), (long) rows * steps, 1);
        return new PlanChoice(
                plan, tile, projection, candidate.groups(), candidate.name() + " (" + reason + "), tile of " + tile);
    }

    /** With the prefetching that the rules advise. */
    private Candidate candidate(Plan plan, Tile tile, Groups groups, boolean hoisted, int rows) {
        return new Candidate(plan, tile.rows(), tile.gates(), prefetch(tile, plan, groups, rows), hoisted, groups);
    }

    /**
     * What {@code cellfuse tune} compares for a shape: {@link #choose} comes first, then every plan with the tiles that suit the
     * rows, in one and two passes, hoisted or not, apart and together; {@link #MAX_CANDIDATES} at most, the likeliest first.
     *
     * @param together whether work-items may wait for each other
     */
    List<Candidate> candidates(int rows, int steps, boolean together) {
        Candidate own = Candidate.of(choose(rows, steps, Optional.empty(), together));
        Set<Candidate> all = new LinkedHashSet<>();
        all.add(own);
        List<Tile> tall = sensible(onePass(), rows, 1);
        List<Tile> passes = sensible(firstOfEach(rows, 1), rows, 1);
        if (together && runsTogether()) {
            Groups shared = sharedGroups(rows);
            if (shared.together()) {
                for (Tile tile : sensible(firstOfEach(rows, shared.rows()), rows, shared.rows())) {
                    all.add(candidate(Plan.SEQUENCE, tile, shared, false, rows));
                    if (steps > 1) {
                        all.add(candidate(Plan.SEQUENCE, tile, shared, true, rows));
                    }
                }
            }
        }
        tall.stream().limit(2).forEach(tile -> all.add(candidate(Plan.FUSED, tile, Groups.EACH_TILE, false, rows)));
        passes.forEach(tile -> all.add(candidate(Plan.FUSED, tile, Groups.EACH_TILE, false, rows)));
        if (layer.weightBytes() <= (onCpu() ? SEQUENCE_CANDIDATE_BYTES : SEQUENCE_WEIGHT_BYTES)) {
            List<Tile> tiles = sensible(firstOfEach(rows, cores()), rows, cores());
            tiles.forEach(tile -> all.add(candidate(Plan.SEQUENCE, tile, Groups.EACH_TILE, false, rows)));
            if (steps > 1) {
                all.add(candidate(Plan.SEQUENCE, tiles.get(0), Groups.EACH_TILE, true, rows));
            }
        }
        if (steps > 1) {
            passes.forEach(tile -> all.add(candidate(Plan.HOISTED, tile, Groups.EACH_TILE, true, rows)));
        }
        all.add(candidate(Plan.SEPARATE, tall.get(0), Groups.EACH_TILE, false, rows));
        if (onCpu() && layer.weightBytes() > PREFETCH_CANDIDATE_BYTES) {
            all.add(own.withPrefetch(own.prefetch() == 0 ? 2 : 0));
        }
        return all.stream().limit(MAX_CANDIDATES).toList();
    }

    /** Whether this machine can run {@code candidate}: a stored one may come from another. */
    boolean mayRun(Candidate candidate) {
        Groups groups = candidate.groups();
        return !groups.together()
                || runsTogether()
                        && (long) groups.rows() * groups.units() <= cores()
                        && groups.units() <= DeviceWeights.blocks(layer.units(), vec(device));
    }

    /** The best tile of one pass, and the best of two where there are any. */
    private List<Tile> firstOfEach(int rows, int shares) {
        List<Tile> tiles = new ArrayList<>();
        tiles.add(bestTile(onePass(), rows, shares));
        if (onCpu()) {
            tiles.add(bestTile(twoPasses(), rows, shares));
        }
        return tiles;
    }

    /** The least costly first, without those that would mostly compute rows that aren't there. */
    private static List<Tile> sensible(List<Tile> tiles, int rows, int shares) {
        double least = cost(bestTile(tiles, rows, shares), rows, shares);
        return tiles.stream()
                .filter(tile -> cost(tile, rows, shares) <= 1.5 * least)
                .sorted(Comparator.comparingDouble(tile -> cost(tile, rows, shares)))
                .toList();
    }

    /**
     * One work-item for each core, each with a share of the units, and of the rows where there are more cores than blocks of
     * units; {@link Groups#EACH_TILE} where nobody need wait, or work-items can't be relied on to run at the same time.
     */
    private Groups groups(int rows, boolean together) {
        if (!together || !runsTogether() || fitsSequence(rows)) {
            return Groups.EACH_TILE;
        }
        return sharedGroups(rows);
    }

    /** See {@link #groups}, of which this is the second half. */
    private Groups sharedGroups(int rows) {
        int blocks = DeviceWeights.blocks(layer.units(), vec(device));
        Groups best = Groups.EACH_TILE;
        long least = Long.MAX_VALUE;
        for (int units = 2; units <= Math.min(cores(), blocks); units++) {
            int byRows = (int) Math.min(cores() / units, tiles(rows, smallTile(rows, cores() / units)));
            long work = (long) ((rows + byRows - 1) / byRows) * ((blocks + units - 1) / units);
            if (work <= least) { // with as much work, the smaller share of the weights
                least = work;
                best = new Groups(byRows, units);
            }
        }
        return best;
    }

    /**
     * Whether as many work-groups as there are compute units run at the same time, each in a thread of its own. PoCL's CPU devices
     * have a thread for each compute unit and hand out work-groups one by one when there are that few. But a process that may use
     * fewer cores than the driver sees would spend its time waiting for threads that don't run.
     */
    private boolean runsTogether() {
        return device.type() == Capabilities.Type.CPU
                && device.version().contains("PoCL")
                && device.computeUnits() <= processors;
    }

    /** The tile of a large batch: its sums fill the registers. */
    static Tile largestTile(Capabilities device) {
        return Tile.of(vec(device), maxTileHeight(device));
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

    /** The rows whose sums of all gates fit the registers: four vectors each, and room for four weights and a broadcast. */
    static int maxTileHeight(Capabilities device) {
        if (device.type() != Capabilities.Type.CPU) {
            return 4; // 4 rows x 4 units x 4 gates = 64 registers of sums: two to four waves fit beside each other
        }
        return hasThirtyTwoRegisters(device) ? 6 : 3;
    }

    private static boolean hasThirtyTwoRegisters(Capabilities device) {
        return vec(device) == 16 || System.getProperty("os.arch").equals("aarch64");
    }

    /** The tiles whose sums of all gates fit the registers. */
    private List<Tile> onePass() {
        return IntStream.of(TILE_HEIGHTS)
                .filter(height -> height <= maxTileHeight(device))
                .mapToObj(height -> Tile.of(vec(device), height))
                .toList();
    }

    /** The tiles that go over k twice: two vectors of sums a row, and room for two weights and a broadcast. */
    private List<Tile> twoPasses() {
        return IntStream.of(hasThirtyTwoRegisters(device) ? TWO_PASS_HEIGHTS_32 : TWO_PASS_HEIGHTS_16)
                .mapToObj(height -> new Tile(vec(device), height, 2, 0, false, true))
                .toList();
    }

    /** For a batch of few rows in {@code shares} equal shares, where reading the weights counts: tiles of two passes too. */
    private Tile smallTile(int rows, int shares) {
        List<Tile> tiles = new ArrayList<>(onePass());
        if (onCpu()) {
            tiles.addAll(twoPasses());
        }
        return bestTile(tiles, rows, shares);
    }

    /** The tile with which the busiest of {@code shares} has the least to do. */
    private static Tile bestTile(List<Tile> tiles, long rows, int shares) {
        Tile best = tiles.get(0);
        double least = Double.MAX_VALUE;
        for (Tile tile : tiles) {
            double cost = cost(tile, rows, shares);
            if (cost < least) {
                best = tile;
                least = cost;
            }
        }
        return best;
    }

    /**
     * The work of the busiest of {@code shares}: a tile costs its rows, and about one row's worth for going over the weights; a
     * little more when it goes over the rows twice.
     */
    private static double cost(Tile tile, long rows, int shares) {
        long count = (tiles(rows, tile) + shares - 1) / shares;
        return count * (tile.rows() + (tile.gates() == 4 ? 0.75 : 1));
    }

    /**
     * Lines of the next panel that a tile fetches with every 4 k, so that the panel has come by the time it is needed. None where
     * the weights stay in the cache, or where so few tiles share the work that the hardware's own prefetching does as well.
     */
    private int prefetch(Tile tile, Plan plan, Groups groups, int rows) {
        if (!onCpu() || layer.weightBytes() / groups.units() <= CORE_CACHE_BYTES) {
            return 0;
        }
        long tiles = tiles(rows, tile);
        long sharing = plan == Plan.SEQUENCE
                ? (tiles + groups.rowGroups((int) tiles) - 1) / groups.rowGroups((int) tiles)
                : tiles;
        // 4 k of a panel are 4 · 4 · VEC floats, which is VEC cache lines.
        long passes = sharing * tile.passes(), lines = (tile.vec() + passes - 1) / passes;
        return lines > 4 ? 0 : lines > 2 ? 4 : (int) lines;
    }

    private static long tiles(long rows, Tile tile) {
        return (rows + tile.rows() - 1) / tile.rows();
    }

    /** Cores that run work-items side by side. */
    private int cores() {
        return Math.max(1, device.computeUnits());
    }

    private boolean onCpu() {
        return device.type() == Capabilities.Type.CPU;
    }
}
