package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import java.nio.FloatBuffer;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** Moves floats between the host and buffers of a device. */
interface Mover {
    /** Returns how many floats one call can move. */
    int most();

    /**
     * Lets {@code writer} fill {@code floats} floats of {@code buffer}, from float {@code first} on. It has to write
     * all of them, by index.
     */
    void write(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> writer);

    /**
     * Calls {@code stretch} with 0 to {@code count - 1}, once each, in several threads if that is faster: for writers
     * and readers.
     *
     * @param floats what all of them copy
     */
    void forEach(int count, long floats, IntConsumer stretch);

    /** Lets {@code reader} read {@code floats} floats of {@code buffer}, from float {@code first} on, by index. */
    void read(ClBuffer buffer, long first, int floats, Consumer<FloatBuffer> reader);
}
