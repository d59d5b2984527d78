package io.github.cellfuse.opencl.plan;

import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel as a GPU gets it, for those who look at what a compiler makes of it: {@code bin/audit-kernels}. Immutable.
 *
 * @param kernel its name in OpenCL
 * @param title what sets this variant apart, such as {@code fused 4x4}
 * @param sources the texts, in the order in which they are compiled as one
 * @param options build options, separated by spaces
 * @param workGroup work-items of a work-group that share their tile through local memory; 0 where the driver chooses the size and
 *     each work-item has a tile of its own
 * @param localBytes the local memory in which they do
 * @param rows rows of the batch in that tile
 * @param columns gates times units in that tile, or values where there are no gates
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

    /** All that {@code PlanChooser} has GPUs run. */
    public static List<KernelVariant> gpu() {
        Tile four = Tile.of(4, 4), one = Tile.of(4, 1);
        List<KernelVariant> all = new ArrayList<>();
        for (Tile tile : StagedTiles.everyTile()) {
            all.add(together(KernelSource.STEP_TILED, "fused", tile));
            all.add(together(KernelSource.STEP_TILED, "hoisted", tile.withHoisted(true)));
            all.add(together(KernelSource.INPUT_PROJECTION_TILED, "", tile));
        }
        all.add(together(
                KernelSource.STEP_TILED,
                "separate",
                StagedTiles.everyTile().get(0).withFused(false)));
        for (Tile tile : StagedTiles.everySequence()) {
            all.add(together(KernelSource.SEQUENCE_TILED, "", tile));
        }
        all.add(alone(KernelSource.STEP, "fused", four));
        all.add(alone(KernelSource.STEP, "fused", one));
        all.add(alone(KernelSource.STEP, "hoisted", four.withHoisted(true)));
        all.add(alone(KernelSource.STEP, "hoisted", one.withHoisted(true)));
        all.add(alone(KernelSource.STEP, "separate", four.withFused(false)));
        all.add(alone(KernelSource.STEP, "separate", one.withFused(false)));
        all.add(alone(KernelSource.INPUT_PROJECTION, "", four));
        all.add(alone(KernelSource.INPUT_PROJECTION, "", one));
        all.add(alone(KernelSource.SEQUENCE, "", four));
        all.add(alone(KernelSource.SEQUENCE, "hoisted", four.withHoisted(true)));
        all.add(of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", four, four.rows(), four.vec()));
        all.add(of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", one, one.rows(), one.vec()));
        all.add(of(KernelSource.STEP, "lstm_cell", "", four.withFused(false), 1, four.vec()));
        return List.copyOf(all);
    }

    /** A variant whose work-group shares a tile. */
    private static KernelVariant together(KernelSource source, String title, Tile tile) {
        int columns = 4 * tile.vec() * tile.groupBlocks();
        String depth = source == KernelSource.SEQUENCE_TILED
                ? ""
                : ", " + tile.staging().depth() + " k";
        return of(source, source.title(), title, tile, tile.groupRows(), columns, depth);
    }

    /** A variant whose work-items have a tile each: all four gates of its rows and units. */
    private static KernelVariant alone(KernelSource source, String title, Tile tile) {
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

    /** All sources as the one text that is compiled. */
    public String text() {
        return String.join("\n", sources);
    }

    @Override
    public String toString() {
        return kernel + " (" + title + ")";
    }
}
