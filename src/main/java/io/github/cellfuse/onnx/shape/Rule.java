package io.github.cellfuse.onnx.shape;

import java.util.List;

/** What an operator does to shapes and rows. */
@FunctionalInterface
interface Rule {
    /**
     * Returns the facts of a node's outputs, in their order. If there are fewer facts than outputs, the last one
     * applies to the remaining outputs.
     *
     * @throws RowEndException when the rows can't be followed through this node
     */
    List<TensorFacts> apply(Operation operation);
}
