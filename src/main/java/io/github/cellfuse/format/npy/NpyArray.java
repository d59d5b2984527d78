package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.ElementConversion;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/**
 * An array in NumPy's {@code .npy} format (versions 1.0, 2.0 and 3.0), mapped into memory and read as float32.
 *
 * <p>float16, float32, float64, the integers of 8 to 64 bits with and without sign, and bool are read, in either byte
 * order. Conversion to float32 is exact where float32 has the value; other float64 and integer values are rounded to
 * the nearest (ties to even), and a float64 beyond the largest float32 becomes an infinity. NaN, the infinities and -0
 * are kept; bool becomes 0 and 1. Complex numbers, objects, strings and structured dtypes are refused, as is Fortran
 * order in more than one dimension.
 *
 * <p>Thread safe: any number of threads may read. After {@link #close()} reads are refused; the memory itself is given
 * back by the garbage collector. If another process changes the file while it is open, reads are refused.
 */
public final class NpyArray implements ArraySource {
    private final Object label;
    private final MappedFile file;
    private final NpyHeader header;

    private NpyArray(Object label, MappedFile file, NpyHeader header) {
        this.label = label;
        this.file = file;
        this.header = header;
    }

    /**
     * Opens a {@code .npy} file. Reads the header and checks it against the file's size; the data is left where it is.
     *
     * @throws InvalidInputException when the file isn't there, or isn't a whole {@code .npy} file of a supported dtype
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static NpyArray open(Path path) {
        return of(MappedFile.open(path), path);
    }

    /** Returns an array that fills {@code file}, which it takes over. */
    static NpyArray of(MappedFile file, Object label) {
        return of(file, 0, file.size(), label);
    }

    /** Returns an array in a part of a file; closing it closes the file's mapping. */
    static NpyArray of(MappedFile file, long start, long end, Object label) {
        return new NpyArray(label, file, NpyHeader.read(file::bytes, start, end, label));
    }

    @Override
    public long[] shape() {
        return header.shape().clone();
    }

    /** Returns the number of elements: the product of the dimensions. */
    public long elementCount() {
        return header.elementCount();
    }

    /** Returns the dtype as the file spells it: {@code <f4} is a little-endian float32. */
    public String dtype() {
        return header.descr();
    }

    /** Returns the type of the elements. */
    public ElementType type() {
        return header.type();
    }

    /** Returns the file, or the archive and the entry, as messages name it. */
    @Override
    public String name() {
        return label.toString();
    }

    /** {@inheritDoc} Little-endian float32 is one bulk copy. */
    @Override
    public void read(long firstElement, FloatBuffer target) {
        checkRange(firstElement, target.remaining());
        file.readFloats(position(firstElement), header.type(), header.order(), target);
    }

    @Override
    public void readPieces(long[] firstElements, FloatBuffer target) {
        long[] positions = new long[firstElements.length];
        for (int k = 0; k < positions.length; k++) {
            checkRange(firstElements[k], target.remaining() / positions.length);
            positions[k] = position(firstElements[k]);
        }
        file.readFloats(positions, header.type(), header.order(), target);
    }

    /**
     * Fills what remains of {@code target} with the elements from {@code firstElement} on (in C order), as elements of
     * {@code type} in the target's byte order, and moves its position to its limit. Any number becomes a float, rounded
     * to the nearest (by way of float32 where {@code type} has 16 bits); integers become integers where they fit; 0, 1
     * and bool become bool. Elements of the same type are one bulk copy.
     *
     * @throws InvalidInputException when there are fewer elements than the target takes, floats would have to become
     *     integers, or an integer is beyond what {@code type} holds
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the array has been closed
     */
    public void read(long firstElement, ElementType type, ByteBuffer target) {
        int count = target.remaining() / type.bytes();
        checkRange(firstElement, count);
        ElementConversion conversion = ElementConversion.of(header.type(), type, label);
        int bytes = header.type().bytes();
        file.guarded(() -> {
            for (int done = 0; done < count; ) {
                ByteBuffer view = file.view(position(firstElement + done), (long) (count - done) * bytes, bytes)
                        .order(header.order());
                int part = view.remaining() / bytes;
                int end = target.position() + part * type.bytes();
                conversion.convert(
                        view,
                        target.slice(target.position(), part * type.bytes()).order(target.order()));
                target.position(end);
                done += part;
            }
        });
    }

    /**
     * All elements (in C order), converted to float32, in a new array: for what is small, such as an initial state.
     *
     * @throws InvalidInputException when there are more than a Java array holds
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the array has been closed
     */
    public float[] readAll() {
        if (elementCount() > Integer.MAX_VALUE - 8) {
            throw Problems.invalid(
                    label, elementCount() + " values are more than one Java array holds; read it in pieces");
        }
        float[] values = new float[(int) elementCount()];
        read(0, FloatBuffer.wrap(values));
        return values;
    }

    /**
     * {@code count} integers from {@code firstElement} on, such as the lengths {@code [N]} of a batch.
     *
     * @throws InvalidInputException when the dtype isn't an integer's, a value doesn't fit 32 bits, or there are too
     *     few elements
     */
    public int[] readInts(long firstElement, int count) {
        checkRange(firstElement, count);
        ElementType type = header.type();
        if (!type.isInteger()) {
            throw Problems.invalid(
                    label, "dtype: expected integers, found " + type + "; convert it with array.astype(np.int32)");
        }
        int[] values = new int[count];
        file.guarded(() -> {
            for (int k = 0; k < count; ) {
                ByteBuffer view = file.view(position(firstElement + k), (long) (count - k) * type.bytes(), type.bytes())
                        .order(header.order());
                for (int at = 0; at < view.limit(); at += type.bytes()) {
                    values[k] = toInt(type.toLong().read(view, at), firstElement + k);
                    k++;
                }
            }
        });
        return values;
    }

    private int toInt(long value, long element) {
        boolean isUnsigned = header.type() == ElementType.UINT64;
        // The upper half of the unsigned 64-bit integers comes as negative numbers.
        if (value != (int) value || isUnsigned && value < 0) {
            String found = isUnsigned ? Long.toUnsignedString(value) : Long.toString(value);
            throw Problems.invalid(label, "element " + element + ": expected a 32-bit integer, found " + found);
        }
        return (int) value;
    }

    private long position(long element) {
        return header.dataOffset() + element * header.type().bytes();
    }

    private void checkRange(long firstElement, int count) {
        if (firstElement < 0 || count < 0 || firstElement > elementCount() - count) {
            throw Problems.invalid(
                    label,
                    "expected elements within the " + elementCount() + " of shape " + Problems.shape(header.shape())
                            + ", found " + count + " from element " + firstElement + " on");
        }
    }

    /** Refuses further reads. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}
