package io.github.cellfuse.cli.graph;

import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        ArrayBlock block = ArrayBlock.whole(value.shape()).part(axis.get(), firstRow, count);
        int width = value.type().bytes();
        ByteBuffer source = value.bytes();
        ByteBuffer target = ByteBuffer.allocateDirect(Math.toIntExact(block.elementCount() * width))
                .order(ByteOrder.nativeOrder());
        block.forEach(
                (inArray, inBlock, some) -> target.put(inBlock * width, source, (int) inArray * width, some * width));
        return new Tensor(value.type(), target, block.size());
    }
}
