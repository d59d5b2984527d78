package io.github.cellfuse.opencl.program;

import java.util.Locale;

/**
 * The macros that specialize a program. An engine keeps its programs by tile.
 *
 * @param vec units of a block, which are the lanes of a vector: units per work-item, unless its staging is narrow
 * @param rows rows of the batch per work-item
 * @param gates gates whose sums the registers hold at the same time: 4, or 2 in two passes over a tile of more rows
 * @param prefetch cache lines of the next weights to prefetch with every 4 k; 0 for none
 * @param hoisted whether {@code input_projection.cl} has computed the input's product
 * @param fused whether the cell is the epilogue of the product
 * @param staging how a work-group stages its tile in local memory; {@link Staging#NONE} if it doesn't
 */
public record Tile(int vec, int rows, int gates, int prefetch, boolean hoisted, boolean fused, Staging staging) {
    /** A tile that reads from the caches. */
    public Tile(int vec, int rows, int gates, int prefetch, boolean hoisted, boolean fused) {
        this(vec, rows, gates, prefetch, hoisted, fused, Staging.NONE);
    }

    /** Returns a tile of one pass without prefetching, with the cell as its epilogue. */
    public static Tile of(int vec, int rows) {
        return new Tile(vec, rows, 4, 0, false, true);
    }

    /** Returns a staged tile of {@code rows} rows and 4 units for each work-item. */
    public static Tile staged(int rows, Staging staging) {
        return new Tile(4, rows, 4, 0, false, true, staging);
    }

    /** Returns this tile with other prefetching. */
    public Tile withPrefetch(int lines) {
        return new Tile(vec, rows, gates, lines, hoisted, fused, staging);
    }

    /** Returns this tile for a hoisted input product, or not. */
    public Tile withHoisted(boolean is) {
        return new Tile(vec, rows, gates, prefetch, is, fused, staging);
    }

    /** Returns this tile with the cell as its epilogue, or not. */
    public Tile withFused(boolean is) {
        return new Tile(vec, rows, gates, prefetch, hoisted, is, staging);
    }

    /** Returns whether a work-group stages its tile in local memory. */
    public boolean isStaged() {
        return !staging.equals(Staging.NONE);
    }

    /** Returns the tiles that hold {@code count} rows. */
    public int tiles(int count) {
        return (count + rows - 1) / rows;
    }

    /** Returns the rows of a work-group, or of a work-item if nothing is staged. */
    public int groupRows() {
        return isStaged() ? rows * staging.rows() : rows;
    }

    /** Returns the units of a work-group, or of a work-item if nothing is staged. */
    public int groupUnits() {
        return isStaged() ? staging.groupUnits() : vec;
    }

    /** Returns the work-groups along {@code blocks} blocks of units. */
    public int groupsAlong(int blocks) {
        return (blocks * vec + groupUnits() - 1) / groupUnits();
    }

    /** Returns the work-groups along {@code rows} rows. */
    public long groupsDown(long rows) {
        return (rows + groupRows() - 1) / groupRows();
    }

    /** Returns the number of passes over k. */
    public int passes() {
        return 4 / gates;
    }

    /** Returns the build options, which define the kernels' guarded macros. */
    public String options() {
        String own = String.format(
                Locale.ROOT,
                "-D VEC=%s -D ROWS=%d -D HOISTED=%d -D FUSED=%d",
                staging.isNarrow() ? "1 -D PACK=" + vec : vec,
                rows,
                hoisted ? 1 : 0,
                fused ? 1 : 0);
        if (!isStaged()) {
            return own + String.format(Locale.ROOT, " -D GATES=%d -D PREFETCH=%d", gates, prefetch);
        }
        return own
                + String.format(Locale.ROOT, " -D WG_UNITS=%d -D WG_ROWS=%d", staging.units(), staging.rows())
                + (staging.depth() > 0 ? " -D TILE_K=" + staging.depth() : "")
                + (staging.resident() > 0 ? " -D RESIDENT_K=" + staging.resident() : "")
                + (staging.isInRegisters() ? " -D COLUMNS=" + staging.columns() : "");
    }

    @Override
    public String toString() {
        return groupRows() + " rows x " + groupUnits() + " units x 4 gates"
                + (gates == 4 ? "" : " in two passes")
                + (staging.isInRegisters() ? " with the weights in registers" : isStaged() ? " in local memory" : "")
                + (staging.isPersistent() ? ", weights included" : "");
    }

    /** Returns the blocks of {@code vec} units that hold {@code units} units. */
    public static int blocks(int units, int vec) {
        return (units + vec - 1) / vec;
    }
}
