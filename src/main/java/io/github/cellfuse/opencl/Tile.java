package io.github.cellfuse.opencl;

import java.util.Locale;

/**
 * The macros that specialise a program: the key under which an engine keeps it, and the build options that make it.
 *
 * @param vec lanes of a vector: units per work-item
 * @param rows rows of the batch per work-item
 * @param gates gates whose sums the registers hold at once: 4, or 2 in two passes over a tile of more rows
 * @param prefetch cache lines of the next weights fetched with every 4 k; 0 for none
 * @param hoisted whether the input's product comes ready from {@code input_projection.cl}
 * @param fused whether the cell is the epilogue of the product
 */
record Tile(int vec, int rows, int gates, int prefetch, boolean hoisted, boolean fused) {

    /** A tile of one pass that fetches nothing ahead, with the cell as its epilogue. */
    static Tile of(int vec, int rows) {
        return new Tile(vec, rows, 4, 0, false, true);
    }

    Tile withPrefetch(int lines) {
        return new Tile(vec, rows, gates, lines, hoisted, fused);
    }

    Tile withHoisted(boolean is) {
        return new Tile(vec, rows, gates, prefetch, is, fused);
    }

    Tile withFused(boolean is) {
        return new Tile(vec, rows, gates, prefetch, hoisted, is);
    }

    /** How often a tile goes over k. */
    int passes() {
        return 4 / gates;
    }

    /** The options that the kernels' guarded macros document. */
    String options() {
        return String.format(
                Locale.ROOT,
                "-D VEC=%d -D ROWS=%d -D GATES=%d -D PREFETCH=%d -D HOISTED=%d -D FUSED=%d",
                vec,
                rows,
                gates,
                prefetch,
                hoisted ? 1 : 0,
                fused ? 1 : 0);
    }

    @Override
    public String toString() {
        return rows + " rows x " + vec + " units x 4 gates" + (gates == 4 ? "" : " in two passes");
    }
}
