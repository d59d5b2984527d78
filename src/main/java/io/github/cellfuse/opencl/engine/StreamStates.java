package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.spi.DropWatch;
import io.github.cellfuse.spi.SessionGuard;

/**
 * The device memory of streams: apart from the {@link OpenClStreams} that the program holds, so that a session can
 * close it when the program has dropped those, or uses them in another thread.
 */
final class StreamStates implements AutoCloseable {
    private volatile ClBuffer buffer; // null: there is room for none
    private volatile int capacity;
    private volatile boolean closed;
    private volatile DropWatch watch; // null until the streams are the session's

    /** Logs a warning if the program drops {@code streams} before they are closed, or their session is. */
    void watch(OpenClStreams streams, SessionGuard session) {
        watch = DropWatch.on(
                streams,
                "a set of streams",
                "its memory is held until its session is closed",
                () -> closed || session.isOver(),
                () -> {});
    }

    /** Returns the states, or null if there is room for none. */
    ClBuffer buffer() {
        return buffer;
    }

    /** Returns the number of streams that there is room for. */
    int capacity() {
        return capacity;
    }

    /** Uses {@code larger}, with room for {@code streams}, from now on. */
    void replace(ClBuffer larger, int streams) {
        if (buffer != null) {
            buffer.close();
        }
        buffer = larger;
        capacity = streams;
    }

    @Override
    public void close() {
        closed = true;
        if (buffer != null) {
            buffer.close();
        }
        if (watch != null) {
            watch.end();
        }
    }
}
