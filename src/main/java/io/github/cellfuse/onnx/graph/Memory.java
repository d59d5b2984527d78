package io.github.cellfuse.onnx.graph;

import java.nio.ByteBuffer;

/** Where values go that are read by others than ONNX Runtime. */
@FunctionalInterface
interface Memory {
    /** Direct memory of {@code bytes} bytes, in the machine's byte order, from position 0 to the limit, for the value called {@code name}. */
    ByteBuffer place(String name, int bytes);
}
