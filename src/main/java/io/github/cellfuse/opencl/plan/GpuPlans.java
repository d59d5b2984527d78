package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plans for a GPU: a small layer runs in a single launch; of the others the input's product is hoisted, and tiles are
 * staged in local memory, as {@link StagedCost} estimates to be fastest. Thread safe.
 */
record GpuPlans(DeviceTraits device, LayerSize layer, StagedTiles staged, CandidateSearch search)
        implements DevicePlans {
    /** In a layer of more units, one compute unit would read too many weights at every step. */
    private static final int UNITS_FOR_SEQUENCE = 128;

    /** Without staged tiles: with fewer rows, reading a weight takes about as long as using it. */
    private static final int ROWS_FOR_HOISTING = 48;

    /** Hoisted pre-activations go to memory and back, which the estimate leaves out. */
    private static final double GAIN_OF_HOISTING = 1.1;

    /** With fewer steps, hoisting the input's product and running a whole sequence gain nothing. */
    private static final int MANY_STEPS = 8;

    /** With more rows, a step takes so long that a launch hardly matters. */
    private static final int ROWS_FOR_PERSISTENT = 256;

    @Override
    public Pick pick(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        boolean manySteps = steps >= MANY_STEPS;
        boolean inOneLaunch =
                forced.isEmpty() ? manySteps && layer.units() <= UNITS_FOR_SEQUENCE : forced.get() == Plan.SEQUENCE;
        if (inOneLaunch && layer.units() > UNITS_FOR_SEQUENCE) {
            Optional<Candidate> persistent = persistent(rows);
            if (persistent.isPresent()) {
                return cooperative
                        ? new Pick(persistent.get(), "weights stay on the chip")
                        : new Pick(launched(Plan.HOISTED, rows), "no work-group may wait for another");
            }
        }
        Optional<Tile> whole = inOneLaunch ? staged.sequence(rows) : Optional.empty();
        if (whole.isPresent()) {
            return new Pick(
                    candidate(Plan.SEQUENCE, whole.get()),
                    "a small layer: a step begins with a barrier instead of a launch");
        }
        boolean hoists = manySteps && hoistingPays(rows, steps);
        return new Pick(
                launched(forced.orElse(hoists ? Plan.HOISTED : Plan.FUSED), rows),
                hoists
                        ? "the input's product is faster for many steps at once"
                        : "the pre-activations stay in registers");
    }

    /** Returns the candidate whose groups keep the weights and wait for each other, if the device can run it. */
    private Optional<Candidate> persistent(int rows) {
        if (!device.holdsGroupsTogether() || rows > ROWS_FOR_PERSISTENT) {
            return Optional.empty();
        }
        return staged.persistent(rows)
                .map(tile -> new Candidate(
                        Plan.SEQUENCE,
                        tile.rows(),
                        tile.gates(),
                        0,
                        true,
                        new SequenceGroups(
                                (rows + tile.groupRows() - 1) / tile.groupRows(),
                                tile.groupsAlong(Tile.blocks(layer.units(), tile.vec()))),
                        tile.staging()));
    }

    private boolean hoistingPays(int rows, int steps) {
        List<Tile> fused = staged.steps(rows, shape(Plan.FUSED)), hoisted = staged.steps(rows, shape(Plan.HOISTED));
        long all = (long) rows * steps;
        Optional<Tile> product = staged.projection(all);
        if (fused.isEmpty() || hoisted.isEmpty() || product.isEmpty()) {
            return rows < ROWS_FOR_HOISTING && layer.weightBytes(false) > DeviceTraits.CORE_CACHE;
        }
        double together = staged.stepCost(fused.get(0), rows);
        double apart = staged.stepCost(hoisted.get(0), rows) + staged.projectionCost(product.get(), all) / steps;
        return together > GAIN_OF_HOISTING * apart;
    }

    /** Returns {@code plan} with the best staged tile for a step, or else with the best tile in registers. */
    private Candidate launched(Plan plan, int rows) {
        Optional<Tile> tile = plan == Plan.SEQUENCE
                ? Optional.empty()
                : staged.steps(rows, shape(plan)).stream().findFirst();
        return candidate(
                plan, tile.orElseGet(() -> new RegisterTiles(device).best(rows).withHoisted(plan == Plan.HOISTED)));
    }

    /** Staged tiles come first, beginning with the best one of each plan. */
    @Override
    public List<Candidate> ranked(int rows, int steps, boolean cooperative) {
        List<Candidate> best = new ArrayList<>(), others = new ArrayList<>();
        staged.sequence(rows).ifPresent(tile -> best.add(candidate(Plan.SEQUENCE, tile)));
        for (Plan plan : List.of(Plan.FUSED, Plan.HOISTED, Plan.SEPARATE)) {
            List<Tile> tiles = staged.steps(rows, shape(plan));
            for (Tile tile : tiles) {
                (tile == tiles.get(0) ? best : others).add(candidate(plan, tile));
            }
        }
        if (cooperative) {
            persistent(rows).ifPresent(best::add);
        }
        best.addAll(others);
        search.cheapestFirst(rows, steps, cooperative).forEach(estimate -> best.add(estimate.candidate()));
        return best;
    }

    /** Returns a tile that is hoisted and fused as {@code plan} requires. */
    private Tile shape(Plan plan) {
        return Tile.of(device.vec(), 1).withHoisted(plan == Plan.HOISTED).withFused(plan != Plan.SEPARATE);
    }

    private static Candidate candidate(Plan plan, Tile tile) {
        return new Candidate(
                plan, tile.rows(), tile.gates(), 0, tile.hoisted(), SequenceGroups.EACH_TILE, tile.staging());
    }

    @Override
    public Tile projection(long rows) {
        return staged.projection(rows).orElseGet(() -> new RegisterTiles(device).best(rows));
    }

    /** A stored candidate may come from a GPU with more local memory, or from a driver that took larger work-groups. */
    @Override
    public boolean mayRun(Candidate candidate) {
        Tile tile = candidate.tile(device.vec());
        KernelSource source = candidate.plan() == Plan.SEQUENCE ? KernelSource.sequence(tile) : KernelSource.step(tile);
        boolean waits = !candidate.groups().isCooperative()
                || source == KernelSource.SEQUENCE_PERSISTENT
                        && device.holdsGroupsTogether()
                        && staged.runTogether(tile, (long) candidate.groups().rows() * tile.groupRows());
        return waits && (!tile.isStaged() || staged.fits(source, tile));
    }

    @Override
    public void refuse(KernelSource source, Tile tile) {
        staged.refuse(source, tile);
    }
}
