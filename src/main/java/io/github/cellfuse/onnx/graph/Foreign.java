package io.github.cellfuse.onnx.graph;

import java.util.Optional;

/** A value in memory that belongs to ONNX Runtime. */
interface Foreign {
    /** Returns the dimensions, or nothing if the value isn't a tensor. */
    Optional<long[]> shape();

    /**
     * Returns a copy of the value as a tensor.
     *
     * @param name the value's name in messages
     * @throws io.github.cellfuse.InvalidInputException when the value isn't a tensor of numbers
     */
    Tensor copy(String name);
}
