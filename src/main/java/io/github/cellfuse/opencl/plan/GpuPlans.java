package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.DeviceTraits.WaitingGroups;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Plans for a GPU: a small layer runs in a single launch, and so do few rows of a larger one where work-groups may wait
 * for each other; of the others the input's product is hoisted, and tiles are staged in local memory, as
 * {@link StagedCost} estimates to be fastest. Thread safe.
 */
record GpuPlans(DeviceTraits device, LayerSize layer, StagedTiles staged, CandidateSearch search)
        implements DevicePlans {
    /** Without staged tiles: with fewer rows, reading a weight takes about as long as using it. */
    private static final int ROWS_FOR_HOISTING = 48;

    /** Hoisted pre-activations go to memory and back, which the estimate leaves out. */
    private static final double GAIN_OF_HOISTING = 1.1;

    /** With fewer steps, hoisting the input's product and running a whole sequence gain nothing. */
    private static final int MANY_STEPS = 8;

    /**
     * Units times rows up to which groups that wait for each other are faster than launched steps. On an NVIDIA H200
     * they take 0.59 of the time for 16 rows of 512 units, 0.93 for 128, 1.04 for 256; 0.79 for 256 rows of 256 units.
     */
    private static final int STATES_FOR_PERSISTENT = 1 << 16;

    /** With more rows, groups don't wait for each other even if a user asks for the plan. */
    private static final int MOST_ROWS_FOR_PERSISTENT = 256;

    /** Candidates of each kind that {@code cellfuse tune} may measure. */
    private static final int MOST_PERSISTENT = 4, MOST_IN_REGISTERS = 4;

    /** The seconds of a launch: measured on an NVIDIA H200. */
    private static final double LAUNCH = 4e-6;

    /** How many times as long as estimated steps may take before groups that wait give up: a GPU's clock may be low. */
    private static final double SLOWEST = 10;

    @Override
    public Pick pick(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        boolean manySteps = steps >= MANY_STEPS;
        boolean neverWaits = device.waitingGroups() == WaitingGroups.NEVER;
        Optional<Candidate> persistent =
                prefersPersistent(rows, steps, forced) ? persistent(rows).findFirst() : Optional.empty();
        if (persistent.isPresent() && cooperative && !neverWaits) {
            return new Pick(persistent.get(), "few rows: the weights stay on the chip, and a step needs no launch");
        }
        boolean inOneLaunch = forced.isEmpty()
                ? manySteps && layer.units() <= StagedTiles.UNITS_FOR_SEQUENCE
                : forced.get() == Plan.SEQUENCE;
        Optional<Tile> whole = inOneLaunch ? staged.sequence(rows) : Optional.empty();
        if (persistent.isPresent() && forced.isPresent() && !(neverWaits && whole.isPresent())) {
            return new Pick(launched(Plan.HOISTED, rows), "as no work-group may wait for another");
        }
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

    private boolean prefersPersistent(int rows, int steps, Optional<Plan> forced) {
        return layer.units() > StagedTiles.UNITS_FOR_SEQUENCE
                && rows <= MOST_ROWS_FOR_PERSISTENT
                && (forced.isEmpty()
                        ? device.waitingGroups() == WaitingGroups.BY_DEFAULT
                                && steps >= MANY_STEPS
                                && rows * (long) layer.units() <= STATES_FOR_PERSISTENT
                        : forced.get() == Plan.SEQUENCE);
    }

    /** Returns the candidates whose groups keep their weights and wait for each other, the best first. */
    private Stream<Candidate> persistent(int rows) {
        return staged.persistent(rows).map(tile -> {
            int blocks = Tile.blocks(layer.units(), tile.vec());
            SequenceGroups groups = new SequenceGroups((int) tile.groupsDown(rows), tile.groupsAlong(blocks));
            return new Candidate(Plan.SEQUENCE, tile.rows(), tile.gates(), 0, true, groups, tile.staging());
        });
    }

    /** Returns {@link #SLOWEST} times what launched steps should take. */
    @Override
    public double secondsWithoutWaiting(int rows, int steps, Optional<Plan> forced) {
        List<Tile> hoisted = staged.steps(rows, shape(Plan.HOISTED));
        Optional<Tile> product = staged.projection((long) rows * steps);
        if (hoisted.isEmpty() || product.isEmpty()) {
            return Double.POSITIVE_INFINITY;
        }
        double cycles = steps * staged.stepCost(hoisted.get(0), rows)
                + staged.projectionCost(product.get(), (long) rows * steps);
        double hertz = 1e6 * Math.max(1, device.device().maxClockMhz());
        return SLOWEST * (steps * LAUNCH + cycles / hertz);
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
        staged.withStateInLocalMemory(rows).ifPresent(tile -> best.add(candidate(Plan.SEQUENCE, tile)));
        staged.inRegisters(rows).limit(MOST_IN_REGISTERS).forEach(tile -> best.add(candidate(Plan.SEQUENCE, tile)));
        for (Plan plan : List.of(Plan.FUSED, Plan.HOISTED, Plan.SEPARATE)) {
            List<Tile> tiles = staged.steps(rows, shape(plan));
            for (Tile tile : tiles) {
                (tile == tiles.get(0) ? best : others).add(candidate(plan, tile));
            }
        }
        if (cooperative && device.waitingGroups() != WaitingGroups.NEVER) {
            persistent(rows).limit(MOST_PERSISTENT).forEach(best::add);
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
                        && device.waitingGroups() != WaitingGroups.NEVER
                        && staged.runTogether(tile, (long) candidate.groups().rows() * tile.groupRows());
        return waits && (!tile.isStaged() || staged.fits(source, tile));
    }

    @Override
    public void refuse(KernelSource source, Tile tile) {
        staged.refuse(source, tile);
    }

    @Override
    public void limit(long most) {
        staged.limit(most);
    }
}
