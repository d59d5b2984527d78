package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.plan.CandidateSearch.Estimate;
import io.github.cellfuse.opencl.program.Tile;
import java.util.List;
import java.util.Optional;

/** Plans for a CPU: the candidate to which {@link CostModel} gives the least time. Immutable. */
record CpuPlans(DeviceTraits device, LayerSize layer, CandidateSearch search) implements DevicePlans {
    /** Cache lines to try where the estimate asks for no prefetching. */
    private static final int PREFETCH = 2;

    @Override
    public Pick pick(int rows, int steps, Optional<Plan> forced, boolean cooperative) {
        List<Estimate> all = search.cheapestFirst(rows, steps, cooperative);
        Estimate best = cheapest(all, forced);
        String reason = all.stream()
                .filter(each -> each.candidate().plan() != best.candidate().plan())
                .findFirst()
                .map(next -> reason(best, next))
                .orElse("");
        return new Pick(best.candidate(), reason);
    }

    private static String reason(Estimate best, Estimate next) {
        return "estimated " + best.cost() + "; " + next.candidate().name() + " " + next.cost() + " for its "
                + next.cost().excessOver(best.cost());
    }

    @Override
    public List<Candidate> ranked(int rows, int steps, boolean cooperative) {
        return search.cheapestFirst(rows, steps, cooperative).stream()
                .map(Estimate::candidate)
                .toList();
    }

    @Override
    public double secondsWithoutWaiting(int rows, int steps, Optional<Plan> forced) {
        return cheapest(search.cheapestFirst(rows, steps, false), forced).cost().seconds();
    }

    private static Estimate cheapest(List<Estimate> cheapestFirst, Optional<Plan> forced) {
        return cheapestFirst.stream()
                .filter(each -> forced.isEmpty() || each.candidate().plan() == forced.get())
                .findFirst()
                .orElseThrow();
    }

    @Override
    public Optional<Candidate> withOtherPrefetch(Candidate candidate) {
        return layer.weightBytes(false) > DeviceTraits.CORE_CACHE / 4
                ? Optional.of(candidate.withPrefetch(candidate.prefetch() == 0 ? PREFETCH : 0))
                : Optional.empty();
    }

    @Override
    public Tile projection(long rows) {
        return new RegisterTiles(device).best(rows);
    }

    /** A stored candidate may come from another machine, where more work-items could wait for each other. */
    @Override
    public boolean mayRun(Candidate candidate) {
        SequenceGroups groups = candidate.groups();
        boolean waits = !groups.isCooperative()
                || device.runsCooperatively()
                        && (long) groups.rows() * groups.units() <= device.cores()
                        && groups.units() <= Tile.blocks(layer.units(), device.vec());
        return waits && !candidate.tile(device.vec()).isStaged();
    }
}
