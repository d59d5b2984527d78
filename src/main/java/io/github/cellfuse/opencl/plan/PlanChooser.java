package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.plan.DevicePlans.Pick;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.program.UnfitTileException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses the plan and the tiles for a device and a shape. Every choice gives the same bits, so the choice is about
 * speed alone; {@code docs/design/plans.md} has the measurements behind it. Thread safe.
 */
public final class PlanChooser {
    /** Candidates that {@code cellfuse tune} measures for a shape: it has to compile each of them. */
    static final int MAX_CANDIDATES = 14;

    private final DeviceTraits device;
    private final DevicePlans plans;

    /** The last choice: a session often asks for the same shape again. */
    private volatile Chosen last;

    private record Batch(int rows, int steps, Optional<Plan> forced, boolean cooperative) {}

    private record Chosen(Batch batch, PlanChoice choice) {}

    /** Creates the chooser for a process that may use the cores that the JVM sees. */
    public PlanChooser(Capabilities device, LayerSize layer, DeviceSpeed speed) {
        this(DeviceTraits.of(device), layer, speed);
    }

    /** Creates the chooser for a process that may use {@code processors} cores. */
    public PlanChooser(Capabilities device, LayerSize layer, DeviceSpeed speed, int processors) {
        this(new DeviceTraits(device, processors), layer, speed);
    }

    private PlanChooser(DeviceTraits device, LayerSize layer, DeviceSpeed speed) {
        this.device = device;
        CostModel costs = new CostModel(speed, layer, device.vec(), device.cores(), device.sharedCache());
        CandidateSearch search = new CandidateSearch(device, layer, costs);
        plans = device.isCpu()
                ? new CpuPlans(device, layer, search)
                : new GpuPlans(device, layer, new StagedTiles(device.device(), layer), search);
    }

    /** Returns the lanes of every tile. */
    public int vec() {
        return device.vec();
    }

    /**
     * Returns the choice for {@code rows} rows and {@code steps} steps.
     *
     * @param forced the only plan that may be chosen, if the caller insists on one
     * @param cooperative whether work-items may wait for each other
     * @throws InvalidInputException if the device can't run the forced plan
     */
    public PlanChoice choose(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        if (forced.isPresent() && !mayRun(forced.get())) {
            throw new InvalidInputException("plan sequence: " + device.device().name()
                    + " ends a work-item's loops after 65535 rounds, so the results would be wrong; "
                    + "choose another plan");
        }
        Batch batch = new Batch(rows, steps, forced, cooperative);
        Chosen known = last;
        if (known == null || !known.batch.equals(batch)) {
            Pick pick = plans.pick(rows, steps, forced, cooperative);
            boolean asAsked = forced.equals(Optional.of(pick.candidate().plan()));
            String reason = asAsked ? "as asked" : pick.reason();
            last = known = new Chosen(batch, choice(pick.candidate(), rows, steps, forced, reason));
        }
        return known.choice;
    }

    /** Returns {@code candidate} as the choice for a batch; {@link #mayRun(Candidate)} must be true of it. */
    public PlanChoice choice(Candidate candidate, int rows, int steps, String reason) {
        return choice(candidate, rows, steps, Optional.empty(), reason);
    }

    private PlanChoice choice(Candidate candidate, int rows, int steps, Optional<Plan> forced, String reason) {
        Tile tile = candidate.tile(vec());
        return new PlanChoice(
                candidate.plan(),
                tile,
                plans.projection((long) rows * steps),
                candidate.groups(),
                candidate.name() + " (" + reason + "), tile of " + tile,
                plans.secondsWithoutWaiting(rows, steps, forced));
    }

    /**
     * Returns what {@code cellfuse tune} compares for a shape: first what {@link #choose} returns, then the best
     * candidate of each plan, then the others, the most promising first; {@link #MAX_CANDIDATES} at most.
     *
     * @param cooperative whether work-items may wait for each other
     */
    public List<Candidate> candidates(int rows, int steps, boolean cooperative) {
        Candidate own = Candidate.of(choose(rows, steps, Optional.empty(), cooperative));
        List<Candidate> ranked = plans.ranked(rows, steps, cooperative);
        Set<Candidate> all = new LinkedHashSet<>(List.of(own));
        for (Plan plan : Plan.values()) {
            ranked.stream()
                    .filter(candidate -> candidate.plan() == plan)
                    .findFirst()
                    .ifPresent(all::add);
        }
        plans.withOtherPrefetch(own).ifPresent(all::add);
        all.addAll(ranked);
        return all.stream().limit(MAX_CANDIDATES).toList();
    }

    /** Returns whether this machine can run {@code candidate}, which may have been tuned on another one. */
    public boolean mayRun(Candidate candidate) {
        return mayRun(candidate.plan()) && plans.mayRun(candidate);
    }

    private boolean mayRun(Plan plan) {
        return plan != Plan.SEQUENCE || !device.endsLongLoops();
    }

    /** Never chooses the tile of {@code unfit} again, nor any other that the device can't take for the same reason. */
    public void refuse(UnfitTileException unfit) {
        plans.limit(unfit.mostItems());
        refuse(unfit.source(), unfit.tile());
    }

    /** Never chooses {@code tile} again for the kernels of {@code source}, because the device doesn't take it. */
    public void refuse(KernelSource source, Tile tile) {
        plans.refuse(source, tile);
        last = null;
    }
}
