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
import java.util.function.IntConsumer;

/**
 * Moves floats through blocks of {@link PinnedMemory}: while the device copies one, the host fills or empties another.
 *
 * <pre>
 *   host    fill 1 │ fill 2 │ fill 3 │ …          ┊   │ empty 1 │ empty 2 │ empty 3 │ …
 *   device         │ copy 1 │ copy 2 │ copy 3 …   ┊ copy 1 │ copy 2 │ copy 3 …
 * </pre>
 *
 * <p>A write returns when the host has filled its block. A read returns at once; its reader is called by a later call,
 * {@link #finish} at the latest. Used by one thread at a time.
 */
final class PinnedTransfers implements Mover, AutoCloseable {
    /**
     * Two would do if host and device always took the same time. With three, neither waits for the other at once when
     * one is late, as after a thread or the driver had to be woken. As the device copies a block faster than the host,
     * more would stay empty on the way up, and full on the way down.
     */
    private static final int BLOCKS = 3;

    /** A block in use, and what has to happen before it can be used again. */
    private final class Place {
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

        /** Waits for the device, and calls the reader; returns whether there was something to do. */
        boolean finish() {
            if (copied == null) {
                return false;
            }
            try (ClEvent event = copied) {
                copied = null;
                event.await();
            }
            if (reader != null) {
                reader.accept(view(floats));
                reader = null;
            }
            return true;
        }
    }

    private final PinnedMemory memory;
    private final CopyThreads threads;
    private final ClQueue queue;
    /** In the order of their use, in a circle; null until they are needed. */
    private final Place[] places = new Place[BLOCKS];
    /** The place whose use is the longest ago. */
    private int next;

    /** Transfers on a queue of their own. */
    PinnedTransfers(ClContext context, PinnedMemory memory, CopyThreads threads) {
        this.memory = memory;
        this.threads = threads;
        queue = context.queue();
    }

    /** Returns an event that is complete when everything up to now has been moved; the caller closes it. */
    ClEvent marker() {
        ClEvent moved = queue.marker();
        try {
            queue.flush();
            return moved;
        } catch (RuntimeException | Error e) {
            moved.close();
            throw e;
        }
    }

    @Override
    public int most() {
        return memory.blockBytes() / Float.BYTES;
    }

    @Override
    public void write(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> writer) {
        Place place = nextPlace();
        writer.accept(place.view(floats));
        place.copied = queue.writeLater(buffer, first * Float.BYTES, place.slice(floats));
        queue.flush();
    }

    @Override
    public void read(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> reader) {
        Place place = nextPlace();
        place.copied = queue.readLater(buffer, first * Float.BYTES, place.slice(floats));
        place.reader = reader;
        place.floats = floats;
        queue.flush();
    }

    @Override
    public void forEach(int count, long floats, IntConsumer stretch) {
        threads.forEach(count, floats, stretch);
    }

    private Place nextPlace() {
        if (places[next] == null) {
            places[next] = new Place();
        }
        Place place = places[next];
        next = (next + 1) % BLOCKS;
        place.finish();
        return place;
    }

    /** Waits for the oldest transfer that isn't finished, and calls its reader; returns whether there was one. */
    boolean finishOldest() {
        for (int k = 0; k < BLOCKS; k++) {
            Place place = places[(next + k) % BLOCKS];
            if (place != null && place.finish()) {
                return true;
            }
        }
        return false;
    }

    /** Waits for all transfers and calls the readers that haven't been called. */
    void finish() {
        boolean more = true;
        while (more) {
            more = finishOldest();
        }
    }

    /**
     * Gives the memory back, after waiting for what the device still copies. Readers are no longer called, and failures
     * are no longer reported: after {@link #finish} there are none, and otherwise something else failed before.
     */
    void release() {
        for (int k = 0; k < BLOCKS; k++) {
            Place place = places[k];
            places[k] = null;
            if (place != null) {
                place.reader = null;
                try {
                    place.finish();
                } catch (ClException ignored) {
                    // The copy has ended, which is all that matters here.
                }
                memory.giveBack(place.block);
            }
        }
    }

    @Override
    public void close() {
        release();
        queue.close();
    }
}
