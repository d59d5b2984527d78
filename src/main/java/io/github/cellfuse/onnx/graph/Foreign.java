package io.github.cellfuse.onnx.graph;

import java.util.Optional;

/** A value in memory that isn't ours. */
interface Foreign {
    /** Its dimensions; empty where it isn't a tensor. */
    Optional<long[]> shape();

    /**
     * A copy in memory of ours.
     *
     * @param name what messages call it
     * @throws io.github.cellfuse.InvalidInputException when it isn't a tensor of numbers
     */
    Tensor copy(String name);
}
