package io.github.cellfuse.opencl;

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
 * @param rows rows of the batch in that tile
 * @param columns gates times units in that tile, or values where there are no gates
 */
public record KernelVariant(
        String kernel, String title, List<String> sources, String options, int workGroup, int rows, int columns) {

    /** All that {@code PlanChooser} has GPUs run today. A new kernel is a line here. */
    public static List<KernelVariant> gpu() {
        Tile four = Tile.of(4, 4), one = Tile.of(4, 1);
        return List.of(
                alone(KernelSource.STEP, "lstm_step", "fused", four),
                alone(KernelSource.STEP, "lstm_step", "fused", one),
                alone(KernelSource.STEP, "lstm_step", "hoisted", four.withHoisted(true)),
                alone(KernelSource.STEP, "lstm_step", "hoisted", one.withHoisted(true)),
                alone(KernelSource.STEP, "lstm_step", "separate", four.withFused(false)),
                alone(KernelSource.STEP, "lstm_step", "separate", one.withFused(false)),
                alone(KernelSource.INPUT_PROJECTION, "lstm_input_projection", "", four),
                alone(KernelSource.INPUT_PROJECTION, "lstm_input_projection", "", one),
                alone(KernelSource.SEQUENCE, "lstm_sequence", "", four),
                alone(KernelSource.SEQUENCE, "lstm_sequence", "hoisted", four.withHoisted(true)),
                of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", four, 0, four.rows(), four.vec()),
                of(KernelSource.HIDDEN_PROJECTION, "lstm_hidden_projection", "", one, 0, one.rows(), one.vec()),
                of(KernelSource.STEP, "lstm_cell", "", four.withFused(false), 0, 1, four.vec()));
    }

    /** A variant whose work-items have a tile each: all four gates of its rows and units. */
    private static KernelVariant alone(KernelSource source, String kernel, String title, Tile tile) {
        return of(source, kernel, title, tile, 0, tile.rows(), 4 * tile.vec());
    }

    private static KernelVariant of(
            KernelSource source, String kernel, String title, Tile tile, int workGroup, int rows, int columns) {
        String full = (title + " " + rows + "x" + columns).trim();
        return new KernelVariant(kernel, full, source.texts(), tile.options(), workGroup, rows, columns);
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
