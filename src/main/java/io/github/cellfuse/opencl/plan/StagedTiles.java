package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.opencl.device.GpuCore;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The tiles that a device can stage in its local memory, and the best of them for a batch. Tiles beyond the limits of
 * the device are left out, and so are tiles that the device has refused. Thread safe.
 */
public final class StagedTiles {
    /**
     * Rows of a work-item, work-items along the units, and work-items along the rows: 128 rows x 64 units to 32 x 32.
     */
    private static final int[][] SHAPES = {{8, 16, 16}, {8, 8, 16}, {4, 8, 16}, {4, 8, 8}};

    private static final int[] DEPTHS = {16, 8, 4};

    /** The same three numbers of narrow tiles: 16 rows x 8 units to 64 x 16. */
    private static final int[][] NARROW_SHAPES = {{4, 16, 16}, {4, 16, 8}, {2, 8, 16}, {1, 8, 16}};

    private static final int[] NARROW_DEPTHS = {128, 64, 32, 16};

    /** The same three numbers of tiles whose weights stay in local memory: 16 rows x 2 units to 64 x 4. */
    private static final int[][] PERSISTENT_SHAPES = {
        {4, 4, 16}, {2, 4, 32}, {1, 4, 32}, {1, 4, 16}, {2, 2, 16}, {1, 2, 16}
    };

    private static final int[] PERSISTENT_DEPTHS = {128, 64, 32, 16};

    /** Kernels are compiled for multiples of so many k: one program serves layers of similar size. */
    private static final int RESIDENT_STEP = 64;

    /** Values of 16 bytes that a work-item may fetch for a stage: they wait in its registers. */
    private static final int MOST_FETCHES = 16;

    /**
     * Tiles with weights in registers. The numbers of k are those for which NVIDIA's compiler doesn't spill.
     *
     * @param columns gates of a unit that a work-item has; with one, groups of larger layers would have more than 256
     *     work-items, which NVIDIA's driver refuses if each has many registers
     * @param rows rows of a work-item
     * @param mostUnits the most units of a layer whose weights all are in registers
     * @param otherwiseResident number of k in registers for a larger layer; 0 if it doesn't get this tile
     */
    private record RegisterShape(int columns, int rows, int mostUnits, int otherwiseResident) {
        /** Returns the tile for {@code units} units, with so many rows that no scheduler is without work. */
        private Tile tile(int units) {
            int resident = units <= mostUnits ? units : otherwiseResident;
            int across = Staging.inRegisters(columns, 1, units, resident).workItems();
            int down = (SCHEDULED_ITEMS + across - 1) / across;
            return Tile.staged(rows, Staging.inRegisters(columns, down, units, resident))
                    .withHoisted(true);
        }
    }

    private static final List<RegisterShape> REGISTER_SHAPES = List.of(
            new RegisterShape(1, 1, 64, 0),
            new RegisterShape(1, 2, 64, 0),
            new RegisterShape(1, 4, 64, 0),
            new RegisterShape(1, 8, 64, 0),
            new RegisterShape(2, 1, 96, 80),
            new RegisterShape(2, 2, 80, 80),
            new RegisterShape(2, 4, 72, 64),
            new RegisterShape(2, 8, 48, 40));

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

    /** In a layer of more units, one compute unit would read too many weights at every step of a whole sequence. */
    public static final int UNITS_FOR_SEQUENCE = 128;

    /** With fewer rows, most of the smallest tile would be empty, unless it is narrow. */
    public static final int FEWEST_ROWS = 16;

    /** Made once: a session that alternates between shapes asks for them in every run. */
    private static final List<Tile> WIDE = wideTiles(), NARROW = narrowTiles();

    /** Work-items of the smallest group of all tiles. */
    private static final long SMALLEST_GROUP = 32;

    private record Refused(KernelSource source, Tile tile) {}

    private final Capabilities device;
    private final LayerSize layer;
    private final StagedCost cost;
    /** Whether even the smallest group is too large for kernels that stage. */
    private volatile boolean isLimited;

    private final Set<Refused> refused = ConcurrentHashMap.newKeySet();

    StagedTiles(Capabilities device, LayerSize layer) {
        this.device = device;
        this.layer = layer;
        cost = new StagedCost(GpuCore.of(device), layer);
    }

    /** Leaves out {@code tile} from now on, for the kernels of {@code source}. */
    void refuse(KernelSource source, Tile tile) {
        refused.add(new Refused(source, tile));
    }

    /** Leaves out all tiles from now on, if groups of {@code most} work-items are smaller than that of any tile. */
    void limit(long most) {
        isLimited |= most < SMALLEST_GROUP;
    }

    /**
     * Returns the tiles for a step over {@code rows} rows that fit, the best first.
     *
     * @param shape a tile that is hoisted and fused as the result must be
     */
    List<Tile> steps(long rows, Tile shape) {
        return Stream.concat(rows < FEWEST_ROWS ? Stream.of() : everyTile().stream(), everyNarrowTile().stream())
                .map(tile -> tile.withHoisted(shape.hoisted()).withFused(shape.fused()))
                .filter(tile -> fits(KernelSource.step(tile), tile))
                .sorted(Comparator.comparingDouble(tile -> stepCost(tile, rows)))
                .toList();
    }

    /** Returns the estimated cycles of a step over {@code rows} rows. */
    double stepCost(Tile tile, long rows) {
        return cost.step(tile, rows);
    }

    /** Returns the best tile for the input's product of {@code rows} rows, those of all steps counted. */
    Optional<Tile> projection(long rows) {
        if (rows < FEWEST_ROWS) {
            return Optional.empty();
        }
        return everyTile().stream()
                .filter(tile -> fits(KernelSource.INPUT_PROJECTION_TILED, tile))
                .min(Comparator.comparingDouble(tile -> projectionCost(tile, rows)));
    }

    /** Returns the estimated cycles of such a product. */
    double projectionCost(Tile tile, long rows) {
        return cost.projection(tile, rows);
    }

    /**
     * Returns the tile for a whole sequence without waiting: the best one that has all weights in registers, or else
     * the one that gives the busiest compute unit the least work, and of several the one with the most rows of a
     * work-item. Empty if the layer has a projection, or too many units for local memory.
     */
    Optional<Tile> sequence(long rows) {
        Optional<Tile> registers = inRegisters(rows).findFirst();
        return registers.isPresent() ? registers : withStateInLocalMemory(rows);
    }

    /** Returns the tile for a whole sequence that reads the weights in every step, if there is one. */
    Optional<Tile> withStateInLocalMemory(long rows) {
        int across = Math.max(8, nextPowerOfTwo(Tile.blocks(layer.units(), 4)));
        if (across > SEQUENCE_BLOCKS) {
            return Optional.empty();
        }
        return sequenceTiles(across)
                .filter(tile -> fits(KernelSource.SEQUENCE_TILED, tile))
                .min(Comparator.comparingDouble(tile -> sequenceCost(tile, rows)));
    }

    /**
     * Returns the tiles for a whole sequence whose groups wait for each other, and can all run at the same time; the
     * best first. Empty if the layer has a projection, or if the weights or the rows are too many for the device's
     * local memory.
     */
    Stream<Tile> persistent(long rows) {
        return persistentTiles(layer.units())
                .filter(tile -> fits(KernelSource.SEQUENCE_PERSISTENT, tile) && cost.runTogether(tile, rows))
                .sorted(Comparator.comparingDouble(tile -> cost.persistentStep(tile, rows)));
    }

    /**
     * Returns the tiles for a whole sequence that have weights in registers, the best first. Empty if the layer has a
     * projection or too many units, and except on NVIDIA's GPUs: AMD's compiler spills up to 291 registers.
     */
    Stream<Tile> inRegisters(long rows) {
        boolean isNvidia = device.vendorFacts().computeCapability() > 0;
        return isNvidia
                ? registerTiles(layer.units())
                        .filter(tile -> fits(KernelSource.SEQUENCE_REGISTERS, tile) && cost.holds(tile))
                        .sorted(Comparator.comparingDouble(tile -> cost.registerStep(tile, rows)))
                : Stream.empty();
    }

    /** Returns the tiles for whole sequences of {@code units} units that have weights in registers. */
    public static Stream<Tile> registerTiles(int units) {
        int step = Staging.REGISTER_STEP, all = (units + step - 1) / step * step;
        return all > UNITS_FOR_SEQUENCE
                ? Stream.empty()
                : REGISTER_SHAPES.stream()
                        .filter(shape -> all <= shape.mostUnits || shape.otherwiseResident > 0)
                        .map(shape -> shape.tile(all));
    }

    /** Returns whether the groups of {@code tile} run at the same time, for {@code rows} rows. */
    boolean runTogether(Tile tile, long rows) {
        return cost.runTogether(tile, rows);
    }

    /** Returns the tiles for whole sequences of {@code units} units whose groups wait for each other. */
    public static Stream<Tile> persistentTiles(int units) {
        int resident = (units + RESIDENT_STEP - 1) / RESIDENT_STEP * RESIDENT_STEP;
        return Stream.of(PERSISTENT_SHAPES)
                .flatMap(shape -> IntStream.of(PERSISTENT_DEPTHS)
                        .mapToObj(
                                depth -> Tile.staged(shape[0], Staging.persistent(shape[1], shape[2], depth, resident))
                                        .withHoisted(true)))
                .filter(tile -> tile.staging().divides(tile.rows()))
                .filter(tile -> tile.staging().fetches(tile.rows()) <= MOST_FETCHES);
    }

    private double sequenceCost(Tile tile, long rows) {
        double turns = Math.ceil((double) cost.groups(tile, rows) / cost.core().cores());
        return turns * Math.max(SCHEDULED_ITEMS, tile.staging().workItems()) * (tile.rows() + WEIGHTS_AS_ROWS);
    }

    /** Returns every tile that some device may stage for a product, the large ones first. */
    public static List<Tile> everyTile() {
        return WIDE;
    }

    private static List<Tile> wideTiles() {
        List<Tile> tiles = new ArrayList<>();
        for (int[] shape : SHAPES) {
            IntStream.of(DEPTHS)
                    .mapToObj(depth -> Tile.staged(shape[0], new Staging(shape[1], shape[2], depth)))
                    .filter(tile -> tile.staging().divides(tile.rows()))
                    .forEach(tiles::add);
        }
        return List.copyOf(tiles);
    }

    /** Returns every narrow tile that some device may stage for a step. */
    public static List<Tile> everyNarrowTile() {
        return NARROW;
    }

    private static List<Tile> narrowTiles() {
        List<Tile> tiles = new ArrayList<>();
        for (int[] shape : NARROW_SHAPES) {
            IntStream.of(NARROW_DEPTHS)
                    .mapToObj(depth -> Tile.staged(shape[0], Staging.narrow(shape[1], shape[2], depth)))
                    .filter(tile -> tile.staging().divides(tile.rows()))
                    .filter(tile -> tile.staging().fetches(tile.rows()) <= MOST_FETCHES)
                    .forEach(tiles::add);
        }
        return List.copyOf(tiles);
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

    /** Returns whether the device runs {@code tile}, by its limits and by what it has refused so far. */
    boolean fits(KernelSource source, Tile tile) {
        Staging group = tile.staging();
        long bytes = source == KernelSource.SEQUENCE_TILED ? group.stateBytes(tile.rows()) : group.bytes(tile.rows());
        List<Long> sizes = device.maxWorkItemSizes();
        boolean whole = switch (source) {
            case SEQUENCE_TILED -> !layer.projected() && Tile.blocks(layer.units(), tile.vec()) <= group.units();
            case SEQUENCE_PERSISTENT -> !layer.projected() && layer.units() <= group.resident();
            case SEQUENCE_REGISTERS ->
                !layer.projected()
                        && layer.units() <= tile.groupUnits()
                        && layer.units() > tile.groupUnits() - Staging.REGISTER_STEP;
            default -> true;
        };
        return whole
                && !isLimited
                && group.divides(tile.rows())
                && device.localMemory() == Capabilities.LocalMemory.DEDICATED
                && bytes <= device.localMemoryBytes()
                && group.workItems() <= device.maxWorkGroupSize()
                && (sizes.size() < 2 || group.units() <= sizes.get(0) && group.rows() <= sizes.get(1))
                && !refused.contains(new Refused(source, tile));
    }

    private static int nextPowerOfTwo(int size) {
        return size <= 1 ? 1 : Integer.highestOneBit(size - 1) << 1;
    }
}
