package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.ClBuildException;

/** A device doesn't take a staged tile: its kernel doesn't compile there, or wants more than there is. Another tile may do. */
public final class UnfitTileException extends CellFuseException {
    private static final long serialVersionUID = 1L;

    private final transient KernelSource source;
    private final transient Tile tile;

    public UnfitTileException(KernelSource source, Tile tile, String reason) {
        super(message(source, tile, reason));
        this.source = source;
        this.tile = tile;
    }

    public UnfitTileException(KernelSource source, Tile tile, ClBuildException reason) {
        super(message(source, tile, reason.getMessage()), reason);
        this.source = source;
        this.tile = tile;
    }

    private static String message(KernelSource source, Tile tile, String reason) {
        return source.title() + " in tiles of " + tile + ": " + reason;
    }

    public KernelSource source() {
        return source;
    }

    public Tile tile() {
        return tile;
    }
}
