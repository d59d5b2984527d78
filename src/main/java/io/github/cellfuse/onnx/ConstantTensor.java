package io.github.cellfuse.onnx;

import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A constant tensor of any type, whose elements can be moved. Its bytes don't change after it is filled and may be
 * shared.
 *
 * @param shape the dimensions; their product is the number of elements
 * @param bytes little-endian, from index 0 to the limit
 */
record ConstantTensor(TensorType type, int[] shape, ByteBuffer bytes) {
    /** Returns a tensor of zeros for the caller to fill. */
    static ConstantTensor allocate(TensorType type, int... shape) {
        int count = product(shape, 0, shape.length);
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(count, type.element().bytes()));
        return new ConstantTensor(type, shape, bytes.order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Returns {@code tensor}, or nothing if it has no elements and several dimensions. */
    static Optional<ConstantTensor> of(TensorProto tensor, OnnxTensors tensors) {
        TensorValues values = tensors.values(tensor);
        long[] shape = tensors.shape(tensor);
        // The number of bytes matches the shape, so every dimension fits an int unless another one is 0.
        return values.count() == 0 && shape.length > 1
                ? Optional.empty()
                : Optional.of(new ConstantTensor(
                        values.type(),
                        Arrays.stream(shape).mapToInt(Math::toIntExact).toArray(),
                        values.bytes()));
    }

    TensorProto toProto() {
        TensorProto.Builder tensor = TensorProto.newBuilder().setDataType(type.code());
        for (int dimension : shape) {
            tensor.addDims(dimension);
        }
        return tensor.setRawData(
                        UnsafeByteOperations.unsafeWrap(bytes.duplicate().rewind()))
                .build();
    }

    int rank() {
        return shape.length;
    }

    int count() {
        return bytes.limit() / type.element().bytes();
    }

    private static int product(int[] shape, int from, int to) {
        return IntStream.range(from, to).map(k -> shape[k]).reduce(1, Math::multiplyExact);
    }

    /** Returns the axis counted from the front, or -1 if there is no such axis. */
    int axis(long axis) {
        return axis(axis, rank());
    }

    static int axis(long axis, int rank) {
        long index = axis < 0 ? axis + rank : axis;
        return index >= 0 && index < rank ? (int) index : -1;
    }

    /** Returns the same elements with other dimensions; the number of elements must be the same. */
    ConstantTensor shaped(int... other) {
        return new ConstantTensor(type, other, bytes);
    }

    private int[] strides() {
        int[] strides = new int[rank()];
        int stride = 1;
        for (int k = rank() - 1; k >= 0; k--) {
            strides[k] = stride;
            stride *= shape[k];
        }
        return strides;
    }

    /** Returns a copy with permuted dimensions. */
    ConstantTensor transposed(int[] permutation) {
        int[] all = strides();
        return gathered(
                Arrays.stream(permutation).map(k -> shape[k]).toArray(),
                0,
                Arrays.stream(permutation).map(k -> all[k]).toArray());
    }

    /** Returns a copy of the elements with indices from {@code starts} (inclusive) to {@code ends} (exclusive). */
    ConstantTensor sliced(int[] starts, int[] ends) {
        int[] strides = strides();
        int[] sizes = IntStream.range(0, rank()).map(k -> ends[k] - starts[k]).toArray();
        int first = IntStream.range(0, rank()).map(k -> starts[k] * strides[k]).sum();
        return gathered(sizes, first, strides);
    }

    /**
     * Returns a copy of shape {@code sizes} of the elements at distances {@code strides}, beginning at {@code first}.
     */
    private ConstantTensor gathered(int[] sizes, int first, int[] strides) {
        ConstantTensor result = allocate(type, sizes);
        int size = type.element().bytes(), count = result.count();
        int[] index = new int[sizes.length];
        int at = first;
        for (int k = 0; k < count; k++) {
            result.bytes.put(k * size, bytes, at * size, size);
            for (int axis = sizes.length - 1; axis >= 0; axis--) {
                at += strides[axis];
                if (++index[axis] < sizes[axis]) {
                    break;
                }
                at -= strides[axis] * sizes[axis];
                index[axis] = 0;
            }
        }
        return result;
    }

    /** Returns the concatenation along {@code axis}, or nothing if the types or the other dimensions differ. */
    static Optional<ConstantTensor> concatenated(List<ConstantTensor> parts, int axis) {
        ConstantTensor first = parts.get(0);
        int[] shape = first.shape.clone();
        shape[axis] = 0;
        for (ConstantTensor part : parts) {
            int[] rest = part.shape.clone();
            if (rest.length != shape.length || part.type != first.type) {
                return Optional.empty();
            }
            shape[axis] += rest[axis];
            rest[axis] = first.shape[axis];
            if (!Arrays.equals(rest, first.shape)) {
                return Optional.empty();
            }
        }
        ConstantTensor result = allocate(first.type, shape);
        int outer = product(shape, 0, axis), at = 0;
        for (int row = 0; row < outer; row++) {
            for (ConstantTensor part : parts) {
                int block = part.bytes.limit() / outer;
                result.bytes.put(at, part.bytes, row * block, block);
                at += block;
            }
        }
        return Optional.of(result);
    }
}
