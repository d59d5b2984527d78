package io.github.cellfuse.cli.graph;

import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Takes parts of tensors, and copies. */
final class TensorPart {
    private TensorPart() {}

    /** Returns a copy of a tensor in memory of its own. */
    static Tensor copy(Tensor tensor) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(tensor.bytes().remaining()).order(ByteOrder.nativeOrder());
        return new Tensor(tensor.type(), bytes.put(tensor.bytes()).flip(), tensor.shape());
    }

    /**
     * Returns the part with {@code count} elements along {@code axis}, in the same memory if it is contiguous there.
     */
    static Tensor of(Tensor whole, int axis, long first, long count) {
        ArrayBlock block = ArrayBlock.whole(whole.shape()).part(axis, first, count);
        int width = whole.type().bytes();
        ByteBuffer source = whole.bytes();
        boolean isContiguous = true;
        for (int outer = 0; outer < axis; outer++) {
            isContiguous &= whole.dimension(outer) == 1;
        }
        if (isContiguous) {
            int bytes = Math.toIntExact(block.elementCount() * width);
            int from = count == 0 ? 0 : Math.toIntExact(first * (bytes / count));
            return new Tensor(whole.type(), source.slice(from, bytes).order(ByteOrder.nativeOrder()), block.size());
        }
        ByteBuffer target = ByteBuffer.allocateDirect(Math.toIntExact(block.elementCount() * width))
                .order(ByteOrder.nativeOrder());
        block.forEach(
                (inArray, inBlock, some) -> target.put(inBlock * width, source, (int) inArray * width, some * width));
        return new Tensor(whole.type(), target, block.size());
    }
}
