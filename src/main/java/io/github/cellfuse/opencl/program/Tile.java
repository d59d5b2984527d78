package io.github.cellfuse.opencl.program;

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
 * @param staging how a work-group stages its tile in local memory, or {@link Staging#NONE}
 */
public record Tile(int vec, int rows, int gates, int prefetch, boolean hoisted, boolean fused, Staging staging) {
    /** A tile that reads from the caches. */
    public Tile(int vec, int rows, int gates, int prefetch, boolean hoisted, boolean fused) {
        this(vec, rows, gates, prefetch, hoisted, fused, Staging.NONE);
    }

    /** A tile of one pass that fetches nothing ahead, with the cell as its epilogue. */
    public static Tile of(int vec, int rows) {
        return new Tile(vec, rows, 4, 0, false, true);
    }

    /** A tile of {@code rows} rows and 4 units for each work-item of a group that stages it in local memory. */
    public static Tile staged(int rows, Staging staging) {
        return new Tile(4, rows, 4, 0, false, true, staging);
    }

    public Tile withPrefetch(int lines) {
        return new Tile(vec, rows, gates, lines, hoisted, fused, staging);
    }

    public Tile withHoisted(boolean is) {
        return new Tile(vec, rows, gates, prefetch, is, fused, staging);
    }

    public Tile withFused(boolean is) {
        return new Tile(vec, rows, gates, prefetch, hoisted, is, staging);
    }

    /** The same tile for the kernels that stage nothing. */
    public Tile unstaged() {
        return new Tile(vec, rows, gates, prefetch, hoisted, fused);
    }

    public boolean isStaged() {
        return !staging.equals(Staging.NONE);
    }

    /** Rows of a work-group, or of a work-item where nothing is staged. */
    public int groupRows() {
        return isStaged() ? rows * staging.rows() : rows;
    }

    /** Blocks of units of a work-group, or of a work-item. */
    public int groupBlocks() {
        return isStaged() ? staging.units() : 1;
    }

    /** How often a tile goes over k. */
    public int passes() {
        return 4 / gates;
    }

    /** The options that the kernels' guarded macros document. */
    public String options() {
        String own = String.format(
                Locale.ROOT,
                "-D VEC=%d -D ROWS=%d -D HOISTED=%d -D FUSED=%d",
                vec,
                rows,
                hoisted ? 1 : 0,
                fused ? 1 : 0);
        return own
                + (isStaged()
                        ? String.format(
                                Locale.ROOT,
                                " -D WG_UNITS=%d -D WG_ROWS=%d -D TILE_K=%d",
                                staging.units(),
                                staging.rows(),
                                staging.depth())
                        : String.format(Locale.ROOT, " -D GATES=%d -D PREFETCH=%d", gates, prefetch));
    }

    @Override
    public String toString() {
        return groupRows() + " rows x " + groupBlocks() * vec + " units x 4 gates"
                + (gates == 4 ? "" : " in two passes")
                + (isStaged() ? " in local memory" : "");
    }

    /** Blocks of {@code vec} units that hold {@code units}. */
    public static int blocks(int units, int vec) {
        return (units + vec - 1) / vec;
    }
}
