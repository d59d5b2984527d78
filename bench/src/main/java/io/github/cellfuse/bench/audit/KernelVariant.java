package io.github.cellfuse.bench.audit;

import io.github.cellfuse.opencl.plan.StagedTiles;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A kernel as a GPU gets it. Immutable.
 *
 * @param kernel its name in OpenCL
 * @param title the variant, such as {@code fused 4x4}
 * @param sources the texts, in the order in which they are compiled as one
 * @param options build options, separated by spaces
 * @param workGroup work-items of a work-group that shares a tile through local memory; 0 if the driver chooses the size
 *     and each work-item has a tile of its own
 * @param localBytes bytes of local memory for that tile
 * @param rows rows of the batch in a tile
 * @param columns gates times units in a tile, or values if there are no gates
 */
public record KernelVariant(
        String kernel,
        String title,
        List<String> sources,
        String options,
        int workGroup,
        int localBytes,
        int rows,
        int columns) {
    /** Units of the layers for which groups that keep their weights are compiled. */
    private static final List<Integer> PERSISTENT_UNITS = List.of(512, 1024);

    /** Units of the layers for which weights in registers are compiled. */
    private static final List<Integer> REGISTER_UNITS = List.of(16, 32, 48, 64, 72, 80, 96, 128);

    /**
     * Returns the variants that {@code PlanChooser} chooses for GPUs. Of staged tiles that differ only in the depth of
     * a stage, these are the deepest.
     */
    public static List<KernelVariant> gpu() {
        Tile four = Tile.of(4, 4), one = Tile.of(4, 1);
        List<KernelVariant> all = new ArrayList<>();
        List<Integer> limits = Target.localLimits();
        for (Tile tile : deepest(StagedTiles.everyTile(), limits)) {
            all.add(tiled(KernelSource.STEP_TILED, "fused", tile));
            all.add(tiled(KernelSource.STEP_TILED, "hoisted", tile.withHoisted(true)));
            all.add(tiled(KernelSource.INPUT_PROJECTION_TILED, "", tile));
        }
        all.add(tiled(
                KernelSource.STEP_TILED,
                "separate",
                StagedTiles.everyTile().get(0).withFused(false)));
        for (Tile tile : deepest(StagedTiles.everyNarrowTile(), limits)) {
            all.add(tiled(KernelSource.STEP_NARROW, "fused", tile));
            all.add(tiled(KernelSource.STEP_NARROW, "hoisted", tile.withHoisted(true)));
        }
        for (Tile tile : StagedTiles.everySequence()) {
            all.add(tiled(KernelSource.SEQUENCE_TILED, "", tile));
        }
        for (int units : PERSISTENT_UNITS) {
            for (Tile tile : deepest(StagedTiles.persistentTiles(units).toList(), limits)) {
                all.add(tiled(KernelSource.SEQUENCE_PERSISTENT, "", tile));
            }
        }
        for (int units : REGISTER_UNITS) {
            StagedTiles.registerTiles(units).forEach(tile -> all.add(tiled(KernelSource.SEQUENCE_REGISTERS, "", tile)));
        }
        all.add(untiled(KernelSource.STEP, "fused", four));
        all.add(untiled(KernelSource.STEP, "fused", one));
        all.add(untiled(KernelSource.STEP, "hoisted", four.withHoisted(true)));
        all.add(untiled(KernelSource.STEP, "hoisted", one.withHoisted(true)));
        all.add(untiled(KernelSource.STEP, "separate", four.withFused(false)));
        all.add(untiled(KernelSource.STEP, "separate", one.withFused(false)));
        all.add(untiled(KernelSource.INPUT_PROJECTION, "", four));
        all.add(untiled(KernelSource.INPUT_PROJECTION, "", one));
        all.add(untiled(KernelSource.SEQUENCE, "", four));
        all.add(untiled(KernelSource.SEQUENCE, "hoisted", four.withHoisted(true)));
        all.add(of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", four, four.rows(), four.vec()));
        all.add(of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", one, one.rows(), one.vec()));
        all.add(of(KernelSource.CELL, "lstm_cell", "", four, 1, four.vec()));
        return List.copyOf(all);
    }

    /**
     * Returns the deepest tiles of each shape, for which a work-item fetches the most: one for each limit of local
     * memory.
     *
     * @param tiles of the tiles of a shape, the deepest comes first
     */
    private static Collection<Tile> deepest(List<Tile> tiles, Collection<Integer> localLimits) {
        Set<Tile> deepest = new LinkedHashSet<>();
        for (int limit : localLimits) {
            Map<List<Integer>, Tile> byShape = new LinkedHashMap<>();
            for (Tile tile : tiles) {
                Staging group = tile.staging();
                if (group.bytes(tile.rows()) <= limit) {
                    byShape.putIfAbsent(List.of(tile.rows(), group.units(), group.rows()), tile);
                }
            }
            deepest.addAll(byShape.values());
        }
        return deepest;
    }

    /** A variant in which a work-group shares a tile. */
    private static KernelVariant tiled(KernelSource source, String title, Tile tile) {
        int columns = 4 * tile.groupUnits();
        Staging group = tile.staging();
        String depth = switch (source) {
            case SEQUENCE_TILED -> "";
            case SEQUENCE_REGISTERS ->
                ", " + group.resident() + " k, " + group.workItems() + " work-items of " + tile.rows() + "x"
                        + group.itemUnits();
            case SEQUENCE_PERSISTENT ->
                ", " + group.depth() + " of " + group.resident() + " k, " + group.workItems() + " work-items";
            default -> ", " + group.depth() + " k";
        };
        return of(source, source.title(), title, tile, tile.groupRows(), columns, depth);
    }

    /** A variant in which each work-item has a tile: all four gates of its rows and units. */
    private static KernelVariant untiled(KernelSource source, String title, Tile tile) {
        return of(source, source.title(), title, tile, tile.rows(), 4 * tile.vec());
    }

    private static KernelVariant of(
            KernelSource source, String kernel, String title, Tile tile, int rows, int columns) {
        return of(source, kernel, title, tile, rows, columns, "");
    }

    private static KernelVariant of(
            KernelSource source, String kernel, String title, Tile tile, int rows, int columns, String depth) {
        String full = (title + " " + rows + "x" + columns).trim() + depth;
        Staging group = tile.staging();
        long local = source == KernelSource.SEQUENCE_TILED ? group.stateBytes(tile.rows()) : group.bytes(tile.rows());
        return new KernelVariant(
                kernel,
                full,
                source.texts(),
                tile.options(),
                group.workItems(),
                tile.isStaged() ? Math.toIntExact(local) : 0,
                rows,
                columns);
    }

    /** Returns the multiply-adds of a work-item for each k of the product. */
    int fmasOfK() {
        return rows * columns / Math.max(1, workGroup);
    }

    /** Returns the sources as one text, which is compiled. */
    public String text() {
        return String.join("\n", sources);
    }

    @Override
    public String toString() {
        return kernel + " (" + title + ")";
    }
}
