package io.github.cellfuse.onnx.graph;

import java.nio.ByteBuffer;

/** Provides memory for values that are needed outside ONNX Runtime. */
@FunctionalInterface
public interface Memory {
    /**
     * Returns direct memory of {@code bytes} bytes for the value called {@code name}, in the machine's byte order, from
     * position 0 to the limit.
     */
    ByteBuffer place(String name, int bytes);
}
