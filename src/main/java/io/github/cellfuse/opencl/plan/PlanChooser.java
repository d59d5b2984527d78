package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Chooses the plan and the tile for a device and a shape. Every choice gives the same bits, so all that follows is about speed
 * alone; {@code docs/tuning.md} has the measurements behind it. Thread safe.
 */
public final class PlanChooser {
    private static final int[] TILE_HEIGHTS = {6, 4, 3, 2, 1};
    private static final int[] TWO_PASS_HEIGHTS_32 = {13, 11, 8};
    private static final int[] TWO_PASS_HEIGHTS_16 = {6, 5, 4};

    /** A shared cache where the driver doesn't tell. */
    private static final long SHARED_CACHE = 32 << 20;

    /** On a GPU: with fewer rows, reading a weight takes about as long as using it. */
    private static final int ROWS_FOR_HOISTING = 48;

    /** On a GPU: in larger layers one compute unit would read too many weights for every step. */
    private static final int UNITS_FOR_SEQUENCE = 128;

    /** On a GPU: a chunk of steps that is worth taking together for the input's product. */
    private static final int STEPS_FOR_HOISTING = 8;

    /** Candidates of a shape that are measured: each costs a tuning run its compilation. */
    static final int MAX_CANDIDATES = 14;

    private final Capabilities device;
    private final LayerSize layer;
    private final int processors;
    private final CostModel costs;
    private final StagedTiles staged;

    /** What was found for the last shape: a session often has the same again. */
    private volatile Chosen last;

    private record Chosen(int rows, int steps, Optional<Plan> forced, boolean cooperative, PlanChoice choice) {}

    private record Estimate(Candidate candidate, CostModel.Cost cost) {}

    public PlanChooser(Capabilities device, LayerSize layer, DeviceSpeed speed) {
        this(device, layer, speed, Runtime.getRuntime().availableProcessors());
    }

    /**
     * For a process that may use {@code processors} cores.
     *
     * @param speed what the device does at most
     */
    public PlanChooser(Capabilities device, LayerSize layer, DeviceSpeed speed, int processors) {
        this.device = device;
        this.layer = layer;
        this.processors = processors;
        long cache = device.globalCacheBytes() > 0 ? device.globalCacheBytes() : SHARED_CACHE;
        costs = new CostModel(speed, layer, vec(device), cores(), cache);
        staged = new StagedTiles(device, layer);
    }

    /**
     * The choice for {@code rows} rows and {@code steps} steps, or the best way of {@code forced} where the caller insists on a plan.
     *
     * @param cooperative whether work-items may wait for each other
     */
    public PlanChoice choose(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        if (forced.isPresent() && forced.get() == Plan.SEQUENCE && endsLongLoops(device)) {
            throw new InvalidInputException("plan sequence: " + device.name()
                    + " ends a work-item's loops after 65535 rounds, so a whole sequence would come out wrong without a word; "
                    + "choose another plan");
        }
        Chosen known = last;
        if (known == null
                || known.rows != rows
                || known.steps != steps
                || known.cooperative != cooperative
                || !known.forced.equals(forced)) {
            PlanChoice choice = onCpu() ? cheapest(rows, steps, forced, cooperative) : onGpu(rows, steps, forced);
            last = known = new Chosen(rows, steps, forced, cooperative, choice);
        }
        return known.choice;
    }

    /** The candidate that {@link CostModel} gives the least time. */
    private PlanChoice cheapest(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        List<Estimate> all = estimates(rows, steps, cooperative);
        Estimate best = all.stream()
                .filter(each -> forced.isEmpty() || each.candidate.plan() == forced.get())
                .findFirst()
                .orElseThrow();
        String reason = all.stream()
                .filter(each -> each.candidate.plan() != best.candidate.plan())
                .findFirst()
                .map(next -> "estimated " + best.cost + "; " + next.candidate.name() + " " + next.cost + " for its "
                        + next.cost.excessOver(best.cost))
                .orElse("");
        return choice(best.candidate, rows, steps, forced.isPresent() ? "as asked" : reason);
    }

    /**
     * A model of a GPU's time would need one to be fitted to. These rules hold for any: tiles are staged in local memory where there are
     * rows to share what is staged; a small layer is done in one launch; the input's product is hoisted where a step alone would leave
     * compute units without work.
     */
    private PlanChoice onGpu(int rows, int steps, Optional<Plan> forced) {
        boolean many = steps >= STEPS_FOR_HOISTING;
        Optional<Tile> whole = staged.sequence(rows)
                .filter(tile ->
                        forced.isEmpty() ? many && layer.units() <= UNITS_FOR_SEQUENCE : forced.get() == Plan.SEQUENCE);
        if (whole.isPresent()) {
            String reason = "a small layer: a step begins with a barrier instead of a launch";
            return onGpu(candidate(Plan.SEQUENCE, whole.get()), rows, steps, forced, reason);
        }
        Optional<Tile> fused = staged.product(KernelSource.STEP_TILED, rows, shape(Plan.FUSED));
        boolean filled = fused.map(tile -> staged.fillsDevice(tile, rows)).orElse(rows >= ROWS_FOR_HOISTING);
        boolean hoists = layer.weightBytes(false) > CostModel.CORE_CACHE && !filled && many;
        Plan plan = forced.orElse(hoists ? Plan.HOISTED : Plan.FUSED);
        String reason = hoists
                ? "few rows: the input's product is made for many steps at once"
                : "the pre-activations stay in registers";
        Candidate candidate = (plan == Plan.SEQUENCE
                        ? Optional.<Tile>empty()
                        : staged.product(KernelSource.STEP_TILED, rows, shape(plan)))
                .map(tile -> candidate(plan, tile))
                .orElseGet(() -> candidate(
                        plan, bestTile(onePass(), rows), SequenceGroups.EACH_TILE, plan == Plan.HOISTED, rows));
        return onGpu(candidate, rows, steps, forced, reason);
    }

    private PlanChoice onGpu(Candidate candidate, int rows, int steps, Optional<Plan> forced, String reason) {
        return choice(candidate, rows, steps, forced.isPresent() ? "as asked" : reason);
    }

    /** Every way to stage a tile: the best of each plan first. */
    private List<Candidate> stagedCandidates(int rows) {
        List<Candidate> best = new ArrayList<>(), others = new ArrayList<>();
        staged.sequence(rows).ifPresent(tile -> best.add(candidate(Plan.SEQUENCE, tile)));
        for (Plan plan : List.of(Plan.FUSED, Plan.HOISTED, Plan.SEPARATE)) {
            List<Tile> tiles = staged.products(KernelSource.STEP_TILED, rows, shape(plan));
            for (int k = 0; k < tiles.size(); k++) {
                (k == 0 ? best : others).add(candidate(plan, tiles.get(k)));
            }
        }
        best.addAll(others);
        return best;
    }

    /** A tile that is hoisted and fused as {@code plan} has it. */
    private Tile shape(Plan plan) {
        return Tile.of(vec(device), 1).withHoisted(plan == Plan.HOISTED).withFused(plan != Plan.SEPARATE);
    }

    private static Candidate candidate(Plan plan, Tile tile) {
        return new Candidate(
                plan, tile.rows(), tile.gates(), 0, tile.hoisted(), SequenceGroups.EACH_TILE, tile.staging());
    }

    /** Never chooses {@code tile} again for the kernels of {@code source}: the device doesn't take it. */
    public void refuse(KernelSource source, Tile tile) {
        staged.refuse(source, tile);
        last = null;
    }

    /** {@code candidate} for a batch, whoever came up with it: {@link #mayRun} of it must be true. */
    public PlanChoice choice(Candidate candidate, int rows, int steps, String reason) {
        Tile projection = projection((long) rows * steps);
        return new PlanChoice(
                candidate.plan(),
                candidate.tile(vec(device)),
                projection,
                candidate.groups(),
                candidate.name() + " (" + reason + "), tile of " + candidate.tile(vec(device)));
    }

    /**
     * What {@code cellfuse tune} compares for a shape: {@link #choose} comes first, then the best of each plan, then whatever else the
     * estimates put first; {@link #MAX_CANDIDATES} at most.
     *
     * @param cooperative whether work-items may wait for each other
     */
    public List<Candidate> candidates(int rows, int steps, boolean cooperative) {
        Candidate own = Candidate.of(choose(rows, steps, Optional.empty(), cooperative));
        Set<Candidate> all = new LinkedHashSet<>(List.of(own));
        List<Candidate> others = new ArrayList<>(onCpu() ? List.of() : stagedCandidates(rows));
        estimates(rows, steps, cooperative).forEach(estimate -> others.add(estimate.candidate));
        for (Plan plan : Plan.values()) {
            others.stream()
                    .filter(candidate -> candidate.plan() == plan)
                    .findFirst()
                    .ifPresent(all::add);
        }
        if (onCpu() && layer.weightBytes(false) > CostModel.CORE_CACHE / 4) {
            all.add(own.withPrefetch(own.prefetch() == 0 ? 2 : 0));
        }
        all.addAll(others);
        return all.stream().limit(MAX_CANDIDATES).toList();
    }

    /** Every way there is to run a batch, the cheapest first. */
    private List<Estimate> estimates(int rows, int steps, boolean cooperative) {
        List<Candidate> all = new ArrayList<>();
        List<Tile> tiles = new ArrayList<>(onePass());
        if (onCpu() && !emulatesFma(device)) {
            tiles.addAll(twoPasses());
        }
        for (Tile tile : tiles) {
            if (tile.rows() > 1 && tile.rows() >= 2L * rows) {
                continue; // mostly rows that aren't there
            }
            for (Plan plan : Plan.values()) {
                if (plan != Plan.SEQUENCE || !endsLongLoops(device)) {
                    all.add(candidate(plan, tile, SequenceGroups.EACH_TILE, plan == Plan.HOISTED, rows));
                }
            }
            List<SequenceGroups> groups = cooperative && runsCooperatively() ? sharedGroups(rows, tile) : List.of();
            if (steps > 1 && !endsLongLoops(device)) {
                all.add(candidate(Plan.SEQUENCE, tile, SequenceGroups.EACH_TILE, true, rows));
                groups.forEach(each -> all.add(candidate(Plan.SEQUENCE, tile, each, true, rows)));
            }
            groups.forEach(each -> all.add(candidate(Plan.SEQUENCE, tile, each, false, rows)));
        }
        return all.stream()
                .map(candidate -> new Estimate(candidate, costs.of(candidate, rows, steps)))
                .sorted(Comparator.comparingDouble(each -> each.cost.seconds()))
                .toList();
    }

    /** With the prefetching that suits it. */
    private Candidate candidate(Plan plan, Tile tile, SequenceGroups groups, boolean hoisted, int rows) {
        return new Candidate(plan, tile.rows(), tile.gates(), prefetch(tile, plan, groups, rows), hoisted, groups);
    }

    /** Whether this machine can run {@code candidate}: a stored one may come from another. */
    public boolean mayRun(Candidate candidate) {
        if (candidate.plan() == Plan.SEQUENCE && endsLongLoops(device)) {
            return false;
        }
        SequenceGroups groups = candidate.groups();
        boolean cooperative = !groups.isCooperative()
                || runsCooperatively()
                        && (long) groups.rows() * groups.units() <= cores()
                        && groups.units() <= Tile.blocks(layer.units(), vec(device));
        Tile tile = candidate.tile(vec(device));
        KernelSource source = candidate.plan() == Plan.SEQUENCE ? KernelSource.SEQUENCE_TILED : KernelSource.STEP_TILED;
        return cooperative && (!tile.isStaged() || !onCpu() && staged.fits(source, tile));
    }

    /** One work-item for each core, with a share of the units, and of the rows where there are more cores than shares. */
    private List<SequenceGroups> sharedGroups(int rows, Tile tile) {
        List<SequenceGroups> all = new ArrayList<>();
        int blocks = Tile.blocks(layer.units(), vec(device));
        for (int units = 2; units <= Math.min(cores(), blocks); units++) {
            all.add(new SequenceGroups((int) Math.min(cores() / units, tiles(rows, tile)), units));
        }
        return all;
    }

    /**
     * Whether as many work-groups as there are compute units run at the same time, each in a thread of its own. PoCL's CPU devices
     * have a thread for each compute unit and hand out work-groups one by one when there are that few. But a process that may use
     * fewer cores than the driver sees would spend its time waiting for threads that don't run.
     */
    private boolean runsCooperatively() {
        return device.type() == Capabilities.Type.CPU
                && device.version().contains("PoCL")
                && device.computeUnits() <= processors;
    }

    /** Lanes of every tile. */
    public int vec() {
        return vec(device);
    }

    /** The tile of a large batch: its sums fill the registers. */
    public static Tile largestTile(Capabilities device) {
        return Tile.of(vec(device), maxTileHeight(device));
    }

    /** Lanes of a work-item: the width of the registers. What the weights are packed for, so one for a whole engine. */
    public static int vec(Capabilities device) {
        if (device.type() != Capabilities.Type.CPU) {
            // A GPU vectorises across work-items. Four units each keep the loads of weights 16 bytes wide.
            return 4;
        }
        if (emulatesFma(device)) {
            return 1;
        }
        int width = device.nativeFloatWidth();
        // Not every driver knows its own registers (0 and 1 are common answers); 4 lanes exist on every CPU of today.
        return width >= 16 ? 16 : width >= 8 ? 8 : 4;
    }

    /** The rows whose sums of all gates fit the registers: four vectors each, and room for four weights and a broadcast. */
    public static int maxTileHeight(Capabilities device) {
        if (device.type() != Capabilities.Type.CPU) {
            return 4; // 4 rows x 4 units x 4 gates = 64 registers of sums: two to four waves fit beside each other
        }
        if (emulatesFma(device)) {
            return 1;
        }
        return hasThirtyTwoRegisters(device) ? 6 : 3;
    }

    /**
     * Whether a CPU's driver puts a function of some hundred instructions where {@code fma} is called. Beside it the loads that a larger
     * tile saves are nothing, and each lane and row is another copy to compile: on llvmpipe a tile of 4 units takes half a minute, one
     * of a unit three seconds.
     */
    private static boolean emulatesFma(Capabilities device) {
        return device.type() == Capabilities.Type.CPU
                && !device.singlePrecision().fma();
    }

    private static boolean hasThirtyTwoRegisters(Capabilities device) {
        return vec(device) == 16 || System.getProperty("os.arch").equals("aarch64");
    }

    /**
     * Whether the driver lets no work-item go round its loops more than 65535 times in all, and goes on after the loop as if it had ended.
     * Mesa's llvmpipe does, as a guard against shaders that hang. A step stays far below; a sequence doesn't.
     */
    private static boolean endsLongLoops(Capabilities device) {
        return device.name().startsWith("llvmpipe");
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

    /** The tile of the input's product for {@code rows} rows, those of all steps together. */
    private Tile projection(long rows) {
        Optional<Tile> best = onCpu()
                ? Optional.empty()
                : staged.product(KernelSource.INPUT_PROJECTION_TILED, rows, Tile.of(vec(device), 1));
        return best.orElseGet(() -> bestTile(onePass(), rows));
    }

    /** The tile with the least to do for {@code rows} rows: a tile costs its rows, and something for going over the weights. */
    private static Tile bestTile(List<Tile> tiles, long rows) {
        return tiles.stream()
                .min(Comparator.comparingDouble(tile -> tiles(rows, tile) * (tile.rows() + 0.75)))
                .orElseThrow();
    }

    /**
     * Lines of the next panel that a tile fetches with every 4 k, so that the panel has come by the time it is needed. None where
     * the weights stay in the cache, or where so few tiles share the work that the hardware's own prefetching does as well.
     */
    private int prefetch(Tile tile, Plan plan, SequenceGroups groups, int rows) {
        if (!onCpu() || layer.weightBytes(false) / groups.units() <= CostModel.CORE_CACHE) {
            return 0;
        }
        long tiles = tiles(rows, tile);
        long sharing = plan == Plan.SEQUENCE
                ? (tiles + groups.rowGroups((int) tiles) - 1) / groups.rowGroups((int) tiles)
                : tiles;
        // 4 k of a panel are 4 · 4 · VEC weights, which is VEC cache lines of floats.
        long ofPanel = Math.max(1, (long) tile.vec() * layer.weights().bytes() / Float.BYTES);
        long passes = sharing * tile.passes(), lines = (ofPanel + passes - 1) / passes;
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
