package io.github.cellfuse.cl;

import io.github.cellfuse.spi.DropWatch;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One OpenCL object's life: its name, its children and the call that releases it. It is apart from the object that the
 * program holds, so that a parent can close a child that the program has dropped, and the drop can still be noticed.
 */
final class Handle {
    private static final Logger LOG = LoggerFactory.getLogger(Handle.class);
    private static final AtomicLong LIVE = new AtomicLong();

    private final String name;
    private final Runnable release;
    private final List<Handle> parents;
    private final Set<Handle> children = new LinkedHashSet<>(); // in order of creation; guarded by this
    private final boolean watched;
    private volatile boolean closed;

    private Handle(String name, Runnable release, List<Handle> parents, boolean watched) {
        this.name = name;
        this.release = release;
        this.parents = parents;
        this.watched = watched;
    }

    /**
     * Takes charge of a context that has just been created.
     *
     * @param watched whether the log tells if the program drops it, or anything in it
     */
    static Handle openRoot(String name, Runnable release, boolean watched) {
        LIVE.incrementAndGet();
        return new Handle(name, release, List.of(), watched);
    }

    /**
     * Takes charge of an OpenCL object that has just been created in a context. When a parent has been closed
     * meanwhile, the object is released again and the parent named.
     *
     * @param release must not refer to the object that the program holds, or dropping that one could never be noticed
     */
    static Handle open(String name, Runnable release, Handle... parents) {
        Handle handle = new Handle(name, release, List.of(parents), parents[0].watched);
        LIVE.incrementAndGet();
        for (Handle parent : parents) {
            if (!parent.adopt(handle)) {
                handle.close();
                throw parent.closedError();
            }
        }
        return handle;
    }

    /** Objects opened and not yet closed, in the whole process. */
    static long live() {
        return LIVE.get();
    }

    String name() {
        return name;
    }

    boolean isClosed() {
        return closed;
    }

    void checkOpen() {
        if (closed) {
            throw closedError();
        }
    }

    private IllegalStateException closedError() {
        return new IllegalStateException(name + " is closed");
    }

    private synchronized boolean adopt(Handle child) {
        return !closed && children.add(child);
    }

    private synchronized void forget(Handle child) {
        children.remove(child);
    }

    /** {@link #release()}, and what OpenCL says against it is logged. Idempotent, from any thread, never throws. */
    void close() {
        Throwable failure = release();
        if (failure != null) {
            LOG.warn("{} could not be released cleanly: {}", name, failure.getMessage());
        }
    }

    /**
     * Closes the children, the youngest first, then releases the object; does nothing the second time. Returns what
     * OpenCL says against the release, or null. The object counts as released either way: there is nothing more to be
     * done about it.
     */
    Throwable release() {
        Handle[] orphans;
        synchronized (this) {
            if (closed) {
                return null;
            }
            closed = true;
            orphans = children.toArray(Handle[]::new);
        }
        for (int i = orphans.length - 1; i >= 0; i--) {
            orphans[i].close();
        }
        Throwable failure = null;
        try {
            release.run();
        } catch (RuntimeException | LinkageError e) {
            failure = e;
        }
        for (Handle parent : parents) {
            parent.forget(this);
        }
        LIVE.decrementAndGet();
        return failure;
    }

    /**
     * Returns a watch on {@code object}, which the program holds instead of this; null if the context's owner reports
     * what is dropped. Nothing is freed.
     */
    DropWatch watch(Object object) {
        if (!watched) {
            return null;
        }
        String until = parents.isEmpty() ? "the process ends" : parents.get(0).name + " is closed";
        return DropWatch.on(object, name, "it is held until " + until, this::isClosed, () -> {});
    }
}
