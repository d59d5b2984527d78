package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The tiles that a device can stage in its local memory, and the best of them for a batch. Tiles beyond the limits of
 * the device are left out, and so are tiles that the device has refused. Thread safe.
 *
 * <p>Several work-groups should fit the local memory of a compute unit side by side, so that one multiplies while
 * another waits at a barrier. With more local memory, more k are staged at once and there are fewer barriers.
 */
public final class StagedTiles {
    /**
     * Rows of a work-item, work-items along the units, and work-items along the rows: 128 rows x 64 units to 32 x 32.
     */
    private static final int[][] SHAPES = {{8, 16, 16}, {8, 8, 16}, {4, 8, 16}, {4, 8, 8}};

    private static final int[] DEPTHS = {16, 8, 4};

    /** Rows of a work-item in a group that has all units. */
    private static final int[] SEQUENCE_ROWS = {4, 2, 1};

    /** Work-items of such a group, from the largest work-group that every current GPU runs down to AMD's wave. */
    private static final int[] SEQUENCE_ITEMS = {256, 128, 64};

    /** A smaller group takes as long: it leaves some of a compute unit's four schedulers without work. */
    private static final int SCHEDULED_ITEMS = 128;

    /** The most blocks of units in such a group. */
    private static final int SEQUENCE_BLOCKS = 64;

    /** Rows whose products take as long as reading the weights, which every work-item reads for itself. */
    private static final int WEIGHTS_AS_ROWS = 4;

    /** Work-items that a compute unit should hold: two waves for each of AMD's four SIMDs. */
    private static final int RESIDENT = 512;

    /** With fewer rows, most of the smallest tile would be empty. */
    public static final int FEWEST_ROWS = 16;

    /** Multiply-adds that take as long as fetching one value of x or of the weights. */
    private static final int FETCH = 16;

    private record Refused(KernelSource source, Tile tile) {}

    private final Capabilities device;
    private final LayerSize layer;
    private final Set<Refused> refused = ConcurrentHashMap.newKeySet();

    StagedTiles(Capabilities device, LayerSize layer) {
        this.device = device;
        this.layer = layer;
    }

    /** Leaves out {@code tile} from now on, for the kernels of {@code source}. */
    void refuse(KernelSource source, Tile tile) {
        refused.add(new Refused(source, tile));
    }

    /**
     * Returns the tile for the products of a launch over {@code rows} rows: the one that gives the busiest compute unit
     * the least work. A tile costs its products and its fetches, so large tiles are better where they fill the device.
     *
     * @param shape a tile that is hoisted and fused as the result must be
     */
    Optional<Tile> product(KernelSource source, long rows, Tile shape) {
        return products(source, rows, shape).stream().findFirst();
    }

    /** Returns all such tiles that fit, the best first. */
    List<Tile> products(KernelSource source, long rows, Tile shape) {
        if (rows < FEWEST_ROWS) {
            return List.of();
        }
        return shapes().map(tile -> tile.withHoisted(shape.hoisted()).withFused(shape.fused()))
                .filter(tile -> fits(source, tile))
                .sorted(Comparator.comparingDouble(tile -> cost(tile, rows)))
                .toList();
    }

    /**
     * Returns the tile for a whole sequence: the one that gives the busiest compute unit the least work, and of several
     * the one with the most rows of a work-item. Empty if the layer has a projection, or too many units for local
     * memory.
     */
    Optional<Tile> sequence(long rows) {
        int across = Math.max(8, nextPowerOfTwo(Tile.blocks(layer.units(), 4)));
        if (across > SEQUENCE_BLOCKS) {
            return Optional.empty();
        }
        return sequenceTiles(across)
                .filter(tile -> fits(KernelSource.SEQUENCE_TILED, tile))
                .min(Comparator.comparingDouble(tile -> sequenceCost(tile, rows)));
    }

    private double sequenceCost(Tile tile, long rows) {
        double turns = Math.ceil((double) groups(tile, rows) / Math.max(1, device.computeUnits()));
        return turns * Math.max(SCHEDULED_ITEMS, tile.staging().workItems()) * (tile.rows() + WEIGHTS_AS_ROWS);
    }

    /** Returns every tile that some device may stage for a product, the large ones first. */
    public static List<Tile> everyTile() {
        List<Tile> tiles = new ArrayList<>();
        for (int[] shape : SHAPES) {
            IntStream.of(DEPTHS)
                    .mapToObj(depth -> Tile.staged(shape[0], new Staging(shape[1], shape[2], depth)))
                    .filter(tile -> tile.staging().divides(tile.rows()))
                    .forEach(tiles::add);
        }
        return tiles;
    }

    /** Returns the tiles for whole sequences of up to 32, 64, 128 and 256 units: the largest for each height. */
    public static List<Tile> everySequence() {
        return IntStream.of(8, 16, 32, SEQUENCE_BLOCKS)
                .boxed()
                .flatMap(StagedTiles::sequenceTiles)
                .filter(tile -> tile.staging().workItems() == SEQUENCE_ITEMS[0])
                .toList();
    }

    /** Returns all tiles with {@code across} work-items along the units, those of the most rows first. */
    private static Stream<Tile> sequenceTiles(int across) {
        return IntStream.of(SEQUENCE_ROWS)
                .boxed()
                .flatMap(rows -> IntStream.of(SEQUENCE_ITEMS)
                        .filter(items -> items >= across)
                        .mapToObj(items -> sequenceTile(rows, across, items / across)))
                .filter(tile -> tile.staging().divides(tile.rows()));
    }

    /** The input's product is hoisted, so no k are staged: any depth that divides the tile will do. */
    private static Tile sequenceTile(int rows, int across, int down) {
        return Tile.staged(rows, new Staging(across, down, 4 * across / rows)).withHoisted(true);
    }

    /** Returns whether a launch over {@code rows} rows has a work-group for every compute unit. */
    boolean fillsDevice(Tile tile, long rows) {
        return groups(tile, rows) >= device.computeUnits();
    }

    /** Returns whether the device runs {@code tile}, by its limits and by what it has refused so far. */
    boolean fits(KernelSource source, Tile tile) {
        Staging group = tile.staging();
        long bytes = source == KernelSource.SEQUENCE_TILED ? group.stateBytes(tile.rows()) : group.bytes(tile.rows());
        List<Long> sizes = device.maxWorkItemSizes();
        boolean whole = source != KernelSource.SEQUENCE_TILED
                || !layer.projected() && Tile.blocks(layer.units(), tile.vec()) <= group.units();
        return whole
                && group.divides(tile.rows())
                && device.localMemory() == Capabilities.LocalMemory.DEDICATED
                && bytes <= device.localMemoryBytes()
                && group.workItems() <= device.maxWorkGroupSize()
                && (sizes.size() < 2 || group.units() <= sizes.get(0) && group.rows() <= sizes.get(1))
                && !refused.contains(new Refused(source, tile));
    }

    /**
     * Returns each shape once: with the deepest stage that leaves room for {@link #RESIDENT} work-items, or else with
     * the shallowest stage that fits twice.
     */
    private Stream<Tile> shapes() {
        Map<List<Integer>, List<Tile>> byShape = everyTile().stream()
                .collect(Collectors.groupingBy(
                        tile -> List.of(
                                tile.rows(),
                                tile.staging().units(),
                                tile.staging().rows()),
                        LinkedHashMap::new,
                        Collectors.toList()));
        return byShape.values().stream()
                .flatMap(depths -> depths.stream()
                        .filter(tile ->
                                fits(tile, Math.max(2, RESIDENT / tile.staging().workItems())))
                        .findFirst()
                        .or(() -> depths.stream().filter(tile -> fits(tile, 2)).reduce((deep, shallow) -> shallow))
                        .stream());
    }

    /** Returns whether local memory has room for {@code groups} work-groups side by side. */
    private boolean fits(Tile tile, int groups) {
        return groups * tile.staging().bytes(tile.rows()) <= device.localMemoryBytes();
    }

    private double cost(Tile tile, long rows) {
        double height = tile.groupRows(), width = tile.groupBlocks() * tile.vec() * 4.0;
        double turns = Math.ceil((double) groups(tile, rows) / Math.max(1, device.computeUnits()));
        return turns * (height * width + FETCH * (height + width));
    }

    private long groups(Tile tile, long rows) {
        long down = (rows + tile.groupRows() - 1) / tile.groupRows();
        long blocks = Tile.blocks(layer.units(), tile.vec());
        return down * ((blocks + tile.groupBlocks() - 1) / tile.groupBlocks()) * layer.directions();
    }

    private static int nextPowerOfTwo(int size) {
        return size <= 1 ? 1 : Integer.highestOneBit(size - 1) << 1;
    }
}
