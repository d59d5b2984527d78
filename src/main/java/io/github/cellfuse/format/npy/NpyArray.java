package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.ElementConversion;
import io.github.cellfuse.format.file.ElementReader;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.FortranOrder;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An array in NumPy's {@code .npy} format (versions 1.0, 2.0 and 3.0), mapped into memory and read as float32.
 *
 * <p>float16, float32, float64, the integers of 8 to 64 bits with and without sign, and bool are read, in either byte
 * order. Conversion to float32 is exact where float32 has the value; other float64 and integer values are rounded to
 * the nearest (ties to even), and a float64 beyond the largest float32 becomes an infinity. NaN, the infinities and -0
 * are kept; bool becomes 0 and 1. Complex numbers, objects, strings and structured dtypes are refused. An array in
 * Fortran order is read as if it were in C order, through a few MiB of memory; large blocks take about as long as in C
 * order, single rows much longer. Bytes behind the array are ignored, with a warning in the log.
 *
 * <p>Thread safe: any number of threads may read. After {@link #close()} reads are refused; the memory itself is given
 * back by the garbage collector. If another process changes the file while it is open, reads are refused.
 */
public final class NpyArray implements ArraySource {
    private static final Logger LOG = LoggerFactory.getLogger(NpyArray.class);

    private final Object label;
    private final MappedFile file;
    private final NpyHeader header;
    /** As many as the largest number of threads that read at the same time: direct memory is given back late. */
    private final Queue<FortranOrder> transposers = new ConcurrentLinkedQueue<>();

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

    /** Returns whether a file, of any name, begins as a {@code .npy} file does. */
    public static boolean recognizes(Path path) {
        return begins(path, NpyHeader.MAGIC);
    }

    static boolean begins(Path path, byte[] magic) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream stream = Files.newInputStream(path)) {
            return Arrays.equals(stream.readNBytes(magic.length), magic);
        } catch (IOException e) {
            return false; // whoever opens it says why
        }
    }

    /** Returns an array that fills {@code file}, which it takes over. */
    static NpyArray of(MappedFile file, Object label) {
        return of(file, 0, file.size(), label);
    }

    /** Returns an array in a part of a file; closing it closes the file's mapping. */
    static NpyArray of(MappedFile file, long start, long end, Object label) {
        NpyHeader header = NpyHeader.read(file::bytes, start, end, label);
        header.remark().ifPresent(remark -> LOG.warn(Problems.oneLine(label + ": " + remark)));
        return new NpyArray(label, file, header);
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
        if (header.isFortran()) {
            readFortran(new long[] {firstElement}, target);
        } else {
            file.readFloats(position(firstElement), header.type(), header.order(), target);
        }
    }

    @Override
    public boolean isFastByRow() {
        return !header.isFortran();
    }

    @Override
    public void readPieces(long[] firstElements, FloatBuffer target) {
        long[] positions = new long[firstElements.length];
        for (int k = 0; k < positions.length; k++) {
            checkRange(firstElements[k], target.remaining() / positions.length);
            positions[k] = position(firstElements[k]);
        }
        if (header.isFortran()) {
            readFortran(firstElements, target);
        } else {
            file.readFloats(positions, header.type(), header.order(), target);
        }
    }

    private void readFortran(long[] firsts, FloatBuffer target) {
        int base = target.position(), count = target.remaining();
        readFortran(
                firsts,
                count / firsts.length,
                (elements, first) -> header.type()
                        .toFloats(
                                elements,
                                target.slice(
                                        base + (int) first,
                                        elements.remaining() / header.type().bytes())));
        target.position(base + count);
    }

    private void readFortran(long[] firsts, long length, FortranOrder.Receiver receiver) {
        withFortran(
                firsts.length * length,
                (fortran, bytes) -> fortran.read(firsts, length, bytes, header.dataOffset(), header.order(), receiver));
    }

    private interface FortranReading {
        void read(FortranOrder fortran, ElementReader bytes) throws IOException;
    }

    private void withFortran(long elements, FortranReading reading) {
        FortranOrder free = transposers.poll();
        FortranOrder fortran = free != null
                ? free
                : new FortranOrder(header.shape(), header.type().bytes());
        try {
            file.read(elements * header.type().bytes(), bytes -> reading.read(fortran, bytes));
        } finally {
            transposers.add(fortran);
        }
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
        ByteBuffer into = target.slice().order(target.order());
        if (header.isFortran()) {
            readFortran(
                    new long[] {firstElement},
                    count,
                    (elements, first) -> convert(conversion, elements, type, first, into));
        } else {
            file.guarded(() -> convert(conversion, firstElement, type, into));
        }
        target.position(target.position() + count * type.bytes());
    }

    /**
     * Fills {@code target} with the elements of a block of this array, as {@link #read(long, ElementType, ByteBuffer)}
     * does.
     */
    public void read(ArrayBlock block, ElementType type, ByteBuffer target) {
        if (!header.isFortran()) {
            block.forEach((first, at, count) -> read(
                    first,
                    type,
                    target.slice(target.position() + at * type.bytes(), count * type.bytes())
                            .order(target.order())));
        } else {
            ElementConversion conversion = ElementConversion.of(header.type(), type, label);
            ByteBuffer into = target.slice().order(target.order());
            FortranOrder fortran =
                    new FortranOrder(header.shape(), header.type().bytes());
            file.read(
                    block.elementCount() * header.type().bytes(),
                    bytes -> fortran.read(
                            block,
                            bytes,
                            header.dataOffset(),
                            header.order(),
                            (elements, first) -> convert(conversion, elements, type, first, into)));
        }
        target.position(target.limit());
    }

    /** Converts elements that follow each other in the file. */
    private void convert(ElementConversion conversion, long firstElement, ElementType type, ByteBuffer into) {
        int bytes = header.type().bytes(), count = into.remaining() / type.bytes();
        for (int done = 0; done < count; ) {
            ByteBuffer view = file.view(position(firstElement + done), (long) (count - done) * bytes, bytes)
                    .order(header.order());
            convert(conversion, view, type, done, into);
            done += view.limit() / bytes;
        }
    }

    private void convert(
            ElementConversion conversion, ByteBuffer elements, ElementType type, long first, ByteBuffer into) {
        int count = elements.remaining() / header.type().bytes();
        conversion.convert(
                elements,
                into.slice((int) first * type.bytes(), count * type.bytes()).order(into.order()));
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
        if (header.isFortran()) {
            readFortran(
                    new long[] {firstElement},
                    count,
                    (elements, first) -> toInts(elements, firstElement, values, (int) first));
            return values;
        }
        file.guarded(() -> {
            for (int k = 0; k < count; ) {
                ByteBuffer view = file.view(position(firstElement + k), (long) (count - k) * type.bytes(), type.bytes())
                        .order(header.order());
                toInts(view, firstElement, values, k);
                k += view.limit() / type.bytes();
            }
        });
        return values;
    }

    private void toInts(ByteBuffer elements, long firstElement, int[] values, int first) {
        ElementType type = header.type();
        for (int at = 0, k = first; at < elements.limit(); at += type.bytes(), k++) {
            values[k] = toInt(type.toLong().read(elements, at), firstElement + k);
        }
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
