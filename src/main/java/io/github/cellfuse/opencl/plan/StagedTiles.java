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
 * The tiles that a device can stage in its local memory, and the best of them for a batch. What doesn't fit by the device's own limits is
 * left out, and so is what it turned out not to take. Thread safe.
 *
 * <p>Several work-groups should fit the local memory of a compute unit side by side, so that one multiplies while the other waits at its
 * barrier: the more local memory there is, the more k are staged at once, and the fewer barriers.
 */
public final class StagedTiles {
    /** Rows of a work-item, work-items along the units and along the rows: from 128 rows x 64 units down to 32 x 32. */
    private static final int[][] SHAPES = {{8, 16, 16}, {8, 8, 16}, {4, 8, 16}, {4, 8, 8}};

    private static final int[] DEPTHS = {16, 8, 4};

    /** Rows of a work-item, and work-items along the rows, of a group that has all units. */
    private static final int SEQUENCE_TILE_ROWS = 4;

    private static final int[] SEQUENCE_ROWS = {16, 8, 4};

    /** The largest work-group that every GPU of today runs. */
    private static final int WORK_ITEMS = 256;

    /** A wave: a smaller group would leave lanes idle. */
    private static final int WAVE = 64;

    /** Work-items that a compute unit should hold: two waves for each of AMD's four SIMDs. */
    private static final int RESIDENT = 512;

    /** With fewer rows, most of the smallest tile's rows would not be there. */
    public static final int FEWEST_ROWS = 16;

    /** Multiply-adds in whose time a group fetches a value of x or of the weights. */
    private static final int FETCH = 16;

    private record Refused(KernelSource source, Tile tile) {}

    private final Capabilities device;
    private final LayerSize layer;
    private final Set<Refused> refused = ConcurrentHashMap.newKeySet();

    StagedTiles(Capabilities device, LayerSize layer) {
        this.device = device;
        this.layer = layer;
    }

    /** Leaves {@code tile} out from now on, for the kernels of {@code source}. */
    void refuse(KernelSource source, Tile tile) {
        refused.add(new Refused(source, tile));
    }

    /**
     * The tile for the products of a launch over {@code rows} rows: the one with the least to do for the busiest compute unit. A tile costs its
     * products and what it fetches, so large ones are better where they fill the device.
     *
     * @param shape hoisted and fused as the tile has to be
     */
    Optional<Tile> product(KernelSource source, long rows, Tile shape) {
        return products(source, rows, shape).stream().findFirst();
    }

    /** All of them that fit, the best first. */
    List<Tile> products(KernelSource source, long rows, Tile shape) {
        if (rows < FEWEST_ROWS) {
            return List.of();
        }
        return shapes().map(tile -> tile.withHoisted(shape.hoisted()).withFused(shape.fused()))
                .filter(tile -> fits(source, tile))
                .sorted(Comparator.comparingDouble(tile -> cost(tile, rows)))
                .toList();
    }

    /** The tile for a whole sequence with the states in local memory; empty where a layer has too many units, or a projection. */
    Optional<Tile> sequence(long rows) {
        int blocks = Tile.blocks(layer.units(), 4), across = Math.max(8, nextPowerOfTwo(blocks));
        List<Tile> tiles = IntStream.of(SEQUENCE_ROWS)
                .filter(down -> across * down <= WORK_ITEMS && across * down >= WAVE)
                .mapToObj(down -> sequenceTile(across, down))
                .filter(tile -> fits(KernelSource.SEQUENCE_TILED, tile))
                .toList();
        return tiles.stream()
                .filter(tile -> groups(tile, rows) >= device.computeUnits())
                .findFirst()
                .or(() -> tiles.stream().reduce((first, second) -> second));
    }

    /** Every tile that some device may stage for a product, the large ones first. */
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

    /** The largest tiles for whole sequences of up to 32, 64, 128 and 256 units. */
    public static List<Tile> everySequence() {
        return IntStream.of(8, 16, 32, 64)
                .mapToObj(across -> sequenceTile(across, Math.min(SEQUENCE_ROWS[0], WORK_ITEMS / across)))
                .toList();
    }

    /** The input's product comes ready, so no k are staged: any depth that divides them will do. */
    private static Tile sequenceTile(int across, int down) {
        return Tile.staged(SEQUENCE_TILE_ROWS, new Staging(across, down, across))
                .withHoisted(true);
    }

    /** Whether a launch over {@code rows} rows has a work-group for every compute unit. */
    boolean fillsDevice(Tile tile, long rows) {
        return groups(tile, rows) >= device.computeUnits();
    }

    /** Whether the device runs {@code tile}, as far as one knows. */
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

    /** Each shape with the deepest stages that leave room for {@link #RESIDENT} work-items, or else the shallowest that fit twice. */
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

    /** Whether local memory has room for {@code groups} of them side by side. */
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
