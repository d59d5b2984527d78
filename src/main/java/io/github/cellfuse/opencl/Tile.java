package io.github.cellfuse.opencl;

import java.util.Locale;

/**
 * The macros that specialise a program: the key under which an engine keeps it, and the build options that make it.
 *
 * @param vec lanes of a vector: units per work-item
 * @param rows rows of the batch per work-item
 * @param hoisted whether the input's product comes ready from {@code input_projection.cl}
 * @param fused whether the cell is the epilogue of the product
 */
record Tile(int vec, int rows, boolean hoisted, boolean fused) {

    /** The options that the kernels' guarded macros document. */
    String options() {
        return String.format(
                Locale.ROOT,
                "-D VEC=%d -D ROWS=%d -D HOISTED=%d -D FUSED=%d",
                vec,
                rows,
                hoisted ? 1 : 0,
                fused ? 1 : 0);
    }

    @Override
    public String toString() {
        return rows + " rows x " + vec + " units x 4 gates";
    }
}
