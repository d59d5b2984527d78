package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.Plan;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Lists every way to run a batch with tiles in registers, and ranks the list by {@link CostModel}. Immutable. */
record CandidateSearch(DeviceTraits device, LayerSize layer, CostModel costs) {
    /** A candidate and what the model says that it costs. */
    record Estimate(Candidate candidate, CostModel.Cost cost) {}

    /**
     * Returns all candidates, the cheapest first.
     *
     * @param cooperative whether work-items may wait for each other
     */
    List<Estimate> cheapestFirst(int rows, int steps, boolean cooperative) {
        List<Candidate> all = new ArrayList<>();
        for (Tile tile : new RegisterTiles(device).all()) {
            boolean mostlyEmpty = tile.rows() > 1 && tile.rows() >= 2L * rows;
            if (!mostlyEmpty) {
                addAll(all, tile, rows, steps, cooperative);
            }
        }
        return all.stream()
                .map(candidate -> new Estimate(candidate, costs.of(candidate, rows, steps)))
                .sorted(Comparator.comparingDouble(each -> each.cost.seconds()))
                .toList();
    }

    private void addAll(List<Candidate> all, Tile tile, int rows, int steps, boolean cooperative) {
        boolean sequences = !device.endsLongLoops();
        for (Plan plan : Plan.values()) {
            if (plan != Plan.SEQUENCE || sequences) {
                all.add(candidate(plan, tile, SequenceGroups.EACH_TILE, plan == Plan.HOISTED, rows));
            }
        }
        List<SequenceGroups> groups = cooperative && device.runsCooperatively() ? groups(rows, tile) : List.of();
        if (steps > 1 && sequences) {
            all.add(candidate(Plan.SEQUENCE, tile, SequenceGroups.EACH_TILE, true, rows));
            groups.forEach(each -> all.add(candidate(Plan.SEQUENCE, tile, each, true, rows)));
        }
        groups.forEach(each -> all.add(candidate(Plan.SEQUENCE, tile, each, false, rows)));
    }

    /** Returns cooperative groups: each core has a share of the units, and of the rows where there are cores left. */
    private List<SequenceGroups> groups(int rows, Tile tile) {
        List<SequenceGroups> all = new ArrayList<>();
        int cores = device.cores(), blocks = Tile.blocks(layer.units(), device.vec());
        for (int units = 2; units <= Math.min(cores, blocks); units++) {
            all.add(new SequenceGroups((int) Math.min(cores / units, RegisterTiles.count(rows, tile)), units));
        }
        return all;
    }

    private Candidate candidate(Plan plan, Tile tile, SequenceGroups groups, boolean hoisted, int rows) {
        return new Candidate(plan, tile.rows(), tile.gates(), prefetch(tile, plan, groups, rows), hoisted, groups);
    }

    /**
     * Returns the cache lines of the next panel that a tile prefetches with every 4 k, so that the panel arrives before
     * it is needed: 0 where the weights stay in the core's cache, or where so few tiles share a panel that the hardware
     * prefetcher does as well.
     */
    private int prefetch(Tile tile, Plan plan, SequenceGroups groups, int rows) {
        if (!device.isCpu() || layer.weightBytes(false) / groups.units() <= DeviceTraits.CORE_CACHE) {
            return 0;
        }
        long tiles = RegisterTiles.count(rows, tile);
        int rowGroups = groups.rowGroups((int) tiles);
        long sharing = plan == Plan.SEQUENCE ? (tiles + rowGroups - 1) / rowGroups : tiles;
        // 4 k of a panel are 4 · 4 · VEC weights: VEC cache lines of floats.
        long ofPanel = Math.max(1, (long) tile.vec() * layer.weights().bytes() / Float.BYTES);
        long passes = sharing * tile.passes(), lines = (ofPanel + passes - 1) / passes;
        return lines > 4 ? 0 : lines > 2 ? 4 : (int) lines;
    }
}
