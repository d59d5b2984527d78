package io.github.cellfuse.cl;

import java.lang.ref.Cleaner;

/**
 * The common part of all OpenCL objects: a name for messages, and a {@link #close()} that is idempotent, may be called
 * from any thread and never throws. Closing a parent closes its children first, the newest first.
 */
public abstract sealed class ClObject implements AutoCloseable
        permits ClContext, ClQueue, ClProgram, ClKernel, ClBuffer, MappedBuffer, ClEvent {
    private final Handle handle;
    private final Cleaner.Cleanable watch;

    ClObject(Handle handle) {
        this.handle = handle;
        this.watch = Watches.watch(this, handle::reportIfLeaked);
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
        watch.clean(); // closed by now, so nothing is reported; the watch itself is dropped
    }

    /** Returns a description for messages: the kind of object, its name, and its size if it has one. */
    @Override
    public final String toString() {
        return handle.name();
    }
}
