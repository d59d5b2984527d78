package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * A dense array of numbers outside Java's heap, where ONNX Runtime and devices can read it without a copy. The elements
 * are in C order (the last dimension is contiguous) and in the machine's byte order. They can't be modified through
 * this class, so a tensor is thread safe unless its maker modifies the buffer. Tensors are compared by identity.
 */
public final class Tensor {
    private final ElementType type;
    private final long[] shape;
    private final ByteBuffer bytes;

    /**
     * Makes a tensor of the remaining {@code bytes}. A direct buffer in the machine's byte order is shared, not copied:
     * don't modify it while a session runs. Any other buffer is copied.
     *
     * @param shape the dimensions; none for a single value
     * @throws InvalidInputException when the number of bytes doesn't match the shape
     */
    public Tensor(ElementType type, ByteBuffer bytes, long... shape) {
        this.type = Objects.requireNonNull(type, "type");
        this.shape = shape.clone();
        int expected = size(type, shape);
        if (bytes.remaining() != expected) {
            throw new InvalidInputException(
                    "tensor: expected " + expected + " bytes for " + describe() + ", found " + bytes.remaining());
        }
        boolean isNative = bytes.isDirect() && (type.bytes() == 1 || bytes.order() == ByteOrder.nativeOrder());
        this.bytes = isNative ? bytes.slice().order(ByteOrder.nativeOrder()) : copy(type, bytes);
    }

    private static ByteBuffer copy(ElementType type, ByteBuffer bytes) {
        ByteBuffer copy = ByteBuffer.allocateDirect(bytes.remaining()).order(ByteOrder.nativeOrder());
        ByteBuffer source = bytes.slice().order(bytes.order());
        switch (type.bytes()) {
            case 1 -> copy.duplicate().put(source);
            case 2 -> copy.asShortBuffer().put(source.asShortBuffer());
            case 4 -> copy.asIntBuffer().put(source.asIntBuffer());
            default -> copy.asLongBuffer().put(source.asLongBuffer());
        }
        return copy;
    }

    /** Returns a float32 tensor with a copy of {@code values}. */
    public static Tensor of(float[] values, long... shape) {
        ByteBuffer bytes = allocate(Sizes.elements("tensor", values.length, Float.BYTES));
        bytes.asFloatBuffer().put(values);
        return new Tensor(ElementType.FLOAT32, bytes, shape);
    }

    /** Returns an int64 tensor with a copy of {@code values}. */
    public static Tensor of(long[] values, long... shape) {
        ByteBuffer bytes = allocate(Sizes.elements("tensor", values.length, Long.BYTES));
        bytes.asLongBuffer().put(values);
        return new Tensor(ElementType.INT64, bytes, shape);
    }

    /** Returns an int32 tensor with a copy of {@code values}. */
    public static Tensor of(int[] values, long... shape) {
        ByteBuffer bytes = allocate(Sizes.elements("tensor", values.length, Integer.BYTES));
        bytes.asIntBuffer().put(values);
        return new Tensor(ElementType.INT32, bytes, shape);
    }

    /** Returns a tensor of zeros. */
    public static Tensor zeros(ElementType type, long... shape) {
        return new Tensor(type, allocate(size(type, shape)), shape);
    }

    /** Returns memory for a tensor: direct, filled with zeros, in the machine's byte order. */
    static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Returns the number of bytes of a tensor. Throws if a buffer can't hold them. */
    static int size(ElementType type, long... shape) {
        String what = "tensor of shape " + Arrays.toString(shape);
        return Sizes.elements(what, Sizes.product(what, shape), type.bytes());
    }

    /** Returns the type of the elements. */
    public ElementType type() {
        return type;
    }

    /** Returns the dimensions as a new array, which is empty for a single value. */
    public long[] shape() {
        return shape.clone();
    }

    /** Returns the number of dimensions. */
    public int rank() {
        return shape.length;
    }

    /** Returns the length of dimension {@code axis}. */
    public long dimension(int axis) {
        return shape[axis];
    }

    /** Returns the number of elements. */
    public int elementCount() {
        return bytes.capacity() / type.bytes();
    }

    /** Returns a new read-only view of the elements' bytes, in the machine's byte order. */
    public ByteBuffer bytes() {
        return bytes.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /** Returns a new read-only view of the elements of a float32 tensor. */
    public FloatBuffer floats() {
        expect(ElementType.FLOAT32);
        return bytes().asFloatBuffer();
    }

    /** Returns a new read-only view of the elements of an int32 tensor. */
    public IntBuffer ints() {
        expect(ElementType.INT32);
        return bytes().asIntBuffer();
    }

    /** Returns a new read-only view of the elements of an int64 tensor. */
    public LongBuffer longs() {
        expect(ElementType.INT64);
        return bytes().asLongBuffer();
    }

    private void expect(ElementType expected) {
        if (type != expected) {
            throw new InvalidInputException("tensor: expected elements of " + expected + ", found " + describe());
        }
    }

    /** Returns a writable view of the memory, for code that made the tensor or passes it to ONNX Runtime. */
    ByteBuffer memory() {
        return bytes.duplicate().order(ByteOrder.nativeOrder());
    }

    /** Returns the type and shape in words, such as {@code float32 [64, 512]}. */
    String describe() {
        return type + " " + Arrays.toString(shape);
    }

    @Override
    public String toString() {
        return describe();
    }
}
