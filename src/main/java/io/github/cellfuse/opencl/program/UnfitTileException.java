package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.ClBuildException;

/**
 * A device refuses a staged tile: its kernel doesn't compile, or needs more than the device has. Another tile may fit.
 */
public final class UnfitTileException extends CellFuseException {
    private static final long serialVersionUID = 1L;

    private final transient KernelSource source;
    private final transient Tile tile;
    private final long mostItems;

    private UnfitTileException(KernelSource source, Tile tile, String reason, long mostItems, Throwable cause) {
        super(source.title() + " in tiles of " + tile + ": " + reason, cause);
        this.source = source;
        this.tile = tile;
        this.mostItems = mostItems;
    }

    /** The device lacks something. */
    public UnfitTileException(KernelSource source, Tile tile, String reason) {
        this(source, tile, reason, Long.MAX_VALUE, null);
    }

    /** The tile's work-group is too large for the kernel, whose groups have at most {@code mostItems} work-items. */
    public UnfitTileException(KernelSource source, Tile tile, long mostItems) {
        this(
                source,
                tile,
                "a work-group has " + tile.staging().workItems() + " work-items, but the device runs at most "
                        + mostItems,
                mostItems,
                null);
    }

    /** The kernel doesn't compile. */
    public UnfitTileException(KernelSource source, Tile tile, ClBuildException reason) {
        this(source, tile, reason.getMessage(), Long.MAX_VALUE, reason);
    }

    /** Returns the program that was refused. */
    public KernelSource source() {
        return source;
    }

    /** Returns how many work-items a group of the refused kernel may have; a huge number if that isn't the reason. */
    public long mostItems() {
        return mostItems;
    }

    /** Returns the tile that was refused. */
    public Tile tile() {
        return tile;
    }
}
