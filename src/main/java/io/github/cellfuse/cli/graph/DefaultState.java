package io.github.cellfuse.cli.graph;

import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.Optional;

/**
 * The default of a state, with which its streams begin.
 *
 * @param input the state's input
 * @param value the default
 */
record DefaultState(GraphValue input, Tensor value) {

    /** Returns the part for some of the rows; all of it, if it doesn't have an element for each row of all chunks. */
    Tensor part(GraphRows rows, long firstRow, long count) {
        Optional<Integer> axis = rows.inputAxis(input.name()).filter(a -> a < value.rank());
        if (axis.isEmpty() || value.dimension(axis.get()) != rows.count()) {
            return value;
        }
        return TensorPart.of(value, axis.get(), firstRow, count);
    }
}
