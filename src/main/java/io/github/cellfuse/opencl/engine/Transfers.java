package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.MappedBuffer;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Moves floats between the host and a queue's buffers. Large blocks are mapped, which copies nothing if host and device
 * share memory. Small blocks go through {@link StagingMemory}, because a mapping takes a few tenths of a millisecond.
 * Belongs to one session.
 */
public final class Transfers implements Mover {
    /** 1 MiB: copying less takes no longer than waking another core would. */
    private static final int PARALLEL_FLOATS = 1 << 18;

    private final ClQueue queue;
    private final int most;

    /** Transfers of as many floats at once as one direct buffer holds. */
    public Transfers(ClQueue queue) {
        this(queue, Integer.MAX_VALUE / Float.BYTES);
    }

    /** Transfers of at most {@code most} floats at once: for tests of what otherwise takes batches of gigabytes. */
    public Transfers(ClQueue queue, int most) {
        this.queue = queue;
        this.most = most;
    }

    /** Returns how many floats one call can move: a mapping holds less than 2 GiB. */
    @Override
    public int most() {
        return most;
    }

    /**
     * Lets {@code writer} fill {@code floats} floats of {@code buffer}, from float {@code first} on. It has to write
     * all of them, by index.
     */
    @Override
    public void write(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> writer) {
        long bytes = (long) floats * Float.BYTES;
        if (bytes <= StagingMemory.BYTES) {
            staged(floats, view -> {
                writer.accept(view);
                queue.write(buffer, first * Float.BYTES, view.clear());
            });
            return;
        }
        try (MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.OVERWRITE, first * Float.BYTES, bytes)) {
            writer.accept(mapped.bytes().asFloatBuffer());
            mapped.unmap();
        }
    }

    /** Large copies run on all cores, which are free because the device waits for the copy. */
    @Override
    public void forEach(int count, long floats, IntConsumer stretch) {
        IntStream all = IntStream.range(0, count);
        (floats < PARALLEL_FLOATS ? all : all.parallel()).forEach(stretch);
    }

    /**
     * Waits for {@code floats} floats of {@code buffer}, from float {@code first} on; {@code reader} reads by index.
     */
    @Override
    public void read(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> reader) {
        long bytes = (long) floats * Float.BYTES;
        if (bytes <= StagingMemory.BYTES) {
            staged(floats, view -> {
                queue.read(buffer, first * Float.BYTES, view);
                reader.accept(view.clear());
            });
            return;
        }
        try (MappedBuffer mapped = queue.map(buffer, MappedBuffer.Mode.READ, first * Float.BYTES, bytes)) {
            reader.accept(mapped.bytes().asFloatBuffer());
        }
    }

    /** Writes {@code values} to {@code buffer} from float {@code at} on, in several transfers if necessary. */
    public void write(ClBuffer buffer, long at, float[] values) {
        for (int from = 0, count; from < values.length; from += count) {
            int first = from, floats = count = Math.min(most, values.length - from);
            write(buffer, at + first, floats, view -> view.put(0, values, first, floats));
        }
    }

    /** Reads {@code values} from {@code buffer} from float {@code at} on, in several transfers if necessary. */
    public void read(ClBuffer buffer, long at, float[] values) {
        for (int from = 0, count; from < values.length; from += count) {
            int first = from, floats = count = Math.min(most, values.length - from);
            read(buffer, at + first, floats, view -> view.get(0, values, first, floats));
        }
    }

    /** Writes {@code values} to the start of {@code buffer}, in several transfers if necessary. */
    public void write(ClBuffer buffer, int[] values) {
        ByteBuffer staging = StagingMemory.borrow();
        try {
            for (int from = 0, count; from < values.length; from += count) {
                count = Math.min(Math.min(most, StagingMemory.BYTES / Integer.BYTES), values.length - from);
                staging.clear().limit(count * Integer.BYTES).asIntBuffer().put(values, from, count);
                queue.write(buffer, (long) from * Integer.BYTES, staging);
            }
        } finally {
            StagingMemory.giveBack(staging);
        }
    }

    private static void staged(int floats, Consumer<FloatBuffer> work) {
        ByteBuffer staging = StagingMemory.borrow();
        try {
            work.accept(staging.limit(floats * Float.BYTES).asFloatBuffer());
        } finally {
            StagingMemory.giveBack(staging);
        }
    }
}
