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

    /** The device lacks something. */
    public UnfitTileException(KernelSource source, Tile tile, String reason) {
        super(message(source, tile, reason));
        this.source = source;
        this.tile = tile;
    }

    /** The kernel doesn't compile. */
    public UnfitTileException(KernelSource source, Tile tile, ClBuildException reason) {
        super(message(source, tile, reason.getMessage()), reason);
        this.source = source;
        this.tile = tile;
    }

    private static String message(KernelSource source, Tile tile, String reason) {
        return source.title() + " in tiles of " + tile + ": " + reason;
    }

    /** Returns the program that was refused. */
    public KernelSource source() {
        return source;
    }

    /** Returns the tile that was refused. */
    public Tile tile() {
        return tile;
    }
}
