package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClEvent;
import io.github.cellfuse.cl.ClException;
import io.github.cellfuse.cl.ClQueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.function.Consumer;

/**
 * Moves floats through two blocks of {@link PinnedMemory}: while the device copies one, the host fills or empties the
 * other.
 *
 * <pre>
 *   host    fill 1 │ fill 2 │ fill 1 │ …          ┊   │ empty 1 │ empty 2 │ empty 1 │ …
 *   device         │ copy 1 │ copy 2 │ copy 1 …   ┊ copy 1 │ copy 2 │ copy 1 …
 * </pre>
 *
 * <p>A write returns when the host has filled its block. A read returns at once; its reader is called by a later call,
 * {@link #finish} at the latest. Used by one thread at a time.
 */
final class PinnedTransfers implements Mover, AutoCloseable {
    /** A block in use, and what has to happen before it can be used again. */
    private final class Half {
        private final PinnedMemory.Block block = memory.borrow();
        private ClEvent copied;
        private Consumer<FloatBuffer> reader;
        private int floats;

        FloatBuffer view(int count) {
            return slice(count).asFloatBuffer();
        }

        ByteBuffer slice(int count) {
            return block.bytes()
                    .duplicate()
                    .order(ByteOrder.nativeOrder())
                    .clear()
                    .limit(count * Float.BYTES);
        }

        void finish() {
            if (copied != null) {
                try (ClEvent event = copied) {
                    copied = null;
                    event.await();
                }
                if (reader != null) {
                    reader.accept(view(floats));
                    reader = null;
                }
            }
        }
    }

    private final PinnedMemory memory;
    private final ClQueue queue;
    private final Half[] halves = new Half[2];
    private int next;

    /** Transfers on a queue of their own. */
    PinnedTransfers(ClContext context, PinnedMemory memory) {
        this.memory = memory;
        queue = context.queue();
    }

    /** Makes everything that is moved from now on wait for {@code event}. */
    void waitFor(ClEvent event) {
        queue.waitFor(event);
    }

    /** Returns an event that is complete when everything up to now has been moved; the caller closes it. */
    ClEvent marker() {
        ClEvent moved = queue.marker();
        queue.flush();
        return moved;
    }

    @Override
    public int most() {
        return memory.blockBytes() / Float.BYTES;
    }

    @Override
    public void write(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> writer) {
        Half half = nextHalf();
        writer.accept(half.view(floats));
        half.copied = queue.writeLater(buffer, first * Float.BYTES, half.slice(floats));
        queue.flush();
    }

    @Override
    public void read(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> reader) {
        Half half = nextHalf();
        half.copied = queue.readLater(buffer, first * Float.BYTES, half.slice(floats));
        half.reader = reader;
        half.floats = floats;
        queue.flush();
    }

    private Half nextHalf() {
        if (halves[next] == null) {
            halves[next] = new Half();
        }
        Half half = halves[next];
        next = 1 - next;
        half.finish();
        return half;
    }

    /** Waits for all transfers and calls the readers that haven't been called. */
    void finish() {
        for (int k = 0; k < halves.length; k++) {
            Half half = halves[next];
            next = 1 - next;
            if (half != null) {
                half.finish();
            }
        }
    }

    /**
     * Gives the memory back, after waiting for what the device still copies. Readers are no longer called, and failures
     * are no longer reported: after {@link #finish} there are none, and otherwise something else failed before.
     */
    void release() {
        for (int k = 0; k < halves.length; k++) {
            Half half = halves[k];
            halves[k] = null;
            if (half != null) {
                half.reader = null;
                try {
                    half.finish();
                } catch (ClException ignored) {
                    // The copy has ended, which is all that matters here.
                }
                memory.giveBack(half.block);
            }
        }
    }

    @Override
    public void close() {
        release();
        queue.close();
    }
}
