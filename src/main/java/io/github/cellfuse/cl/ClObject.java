package io.github.cellfuse.cl;

import io.github.cellfuse.spi.DropWatch;

/**
 * The common part of all OpenCL objects: a name for messages, and a {@link #close()} that is idempotent, may be called
 * from any thread and never throws. Closing a parent closes its children first, the newest first.
 */
public abstract sealed class ClObject implements AutoCloseable
        permits ClContext, ClQueue, ClProgram, ClKernel, ClBuffer, MappedBuffer, ClEvent {
    private final Handle handle;
    private final DropWatch watch; // null: its owner is watched instead

    ClObject(Handle handle) {
        this.handle = handle;
        this.watch = handle.watch(this);
    }

    final Handle handle() {
        return handle;
    }

    /** Throws {@link IllegalStateException} with this object's name when it is closed. */
    final void checkOpen() {
        handle.checkOpen();
    }

    /** Returns whether {@link #close()} was called on this object or on a parent. */
    public final boolean isClosed() {
        return handle.isClosed();
    }

    @Override
    public final void close() {
        handle.close();
        if (watch != null) {
            watch.end();
        }
    }

    /** Returns a description for messages: the kind of object, its name, and its size if it has one. */
    @Override
    public final String toString() {
        return handle.name();
    }
}
