package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The header of a {@code .npy} file.
 *
 * @param descr the dtype as it is written in the file, such as {@code <f4}
 * @param type the dtype
 * @param order the byte order of the elements
 * @param shape the dimensions
 * @param elementCount the product of the dimensions
 * @param dataOffset bytes before the first element
 * @param isFortran whether the first index runs fastest, and that makes a difference
 * @param behind bytes behind the last element; NumPy ignores them
 */
record NpyHeader(
        String descr,
        ElementType type,
        ByteOrder order,
        long[] shape,
        long elementCount,
        long dataOffset,
        boolean isFortran,
        long behind) {
    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /** Bytes before the text: magic, version, and a length of 2 bytes (version 1) or 4 bytes (versions 2 and 3). */
    private static final int PREFIX_1 = 10, PREFIX_2 = 12;

    /** Headers of plain arrays need about 100 characters; a longer one is damaged or has a structured dtype. */
    private static final int LONGEST = 1 << 20;

    /** NumPy starts the data at a multiple of this, so that it can be mapped and read by vector instructions. */
    private static final int ALIGNMENT = 64;

    /** Reads {@code count} bytes of a file that are there. */
    interface Bytes {
        byte[] read(long position, int count);
    }

    /** Reads the header at {@code start} of {@code file}, of an array that must be whole before {@code end}. */
    static NpyHeader read(Bytes file, long start, long end, Object label) {
        long size = end - start;
        if (size == 0) {
            throw Problems.invalid(label, "not a NumPy file: it is empty");
        }
        byte[] magic = file.read(start, (int) Math.min(size, MAGIC.length));
        if (!Arrays.equals(magic, Arrays.copyOf(MAGIC, magic.length))) {
            throw OtherArray.refusal(file.read(start, (int) Math.min(size, OtherArray.START_BYTES)), label);
        }
        if (size < PREFIX_2) {
            throw Problems.invalid(label, "truncated in the header: expected at least 12 bytes, found " + size);
        }
        ByteBuffer prefix = ByteBuffer.wrap(file.read(start, PREFIX_2)).order(ByteOrder.LITTLE_ENDIAN);
        int major = prefix.get(6) & 0xFF;
        int minor = prefix.get(7) & 0xFF;
        if (major < 1 || major > 3 || minor != 0) {
            throw Problems.invalid(label, "version: expected 1.0, 2.0 or 3.0, found " + major + "." + minor);
        }
        int prefixBytes = major == 1 ? PREFIX_1 : PREFIX_2;
        long length = major == 1 ? prefix.getChar(8) : Integer.toUnsignedLong(prefix.getInt(8));
        if (length > size - prefixBytes) {
            throw Problems.invalid(
                    label,
                    "truncated in the header: expected " + length + " bytes of it, found " + (size - prefixBytes));
        }
        if (length > LONGEST) {
            throw Problems.invalid(label, "header: expected at most " + LONGEST + " bytes, found " + length);
        }
        Charset charset = major == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
        String text = new String(file.read(start + prefixBytes, (int) length), charset);
        return of(NpyHeaderText.parse(text, label), start + prefixBytes + length, end, label);
    }

    private static NpyHeader of(NpyHeaderText text, long dataOffset, long end, Object label) {
        NpyDescr descr = NpyDescr.parse(text, label);
        long[] shape = text.shape();
        long count = Sizes.product(label + ": shape " + Problems.shape(shape), shape);
        long bytes = Sizes.product(
                label + ": " + text.descr() + " of shape " + Problems.shape(shape),
                count,
                descr.type().bytes());
        long found = end - dataOffset;
        if (found < bytes) {
            throw Problems.invalid(
                    label,
                    "truncated: expected " + bytes + " bytes of data for " + text.descr() + " of shape "
                            + Problems.shape(shape) + ", found " + found);
        }
        boolean isFortran = text.fortranOrder() && !sameInBothOrders(shape, count);
        return new NpyHeader(
                text.descr(), descr.type(), descr.order(), shape, count, dataOffset, isFortran, found - bytes);
    }

    /** Returns what a user should know of the bytes behind the array; empty if there are none. */
    Optional<String> remark() {
        return behind == 0
                ? Optional.empty()
                : Optional.of((behind == 1 ? "1 byte" : behind + " bytes") + " behind the array of shape "
                        + Problems.shape(shape) + " ignored, as NumPy does");
    }

    /** If at most one dimension is longer than 1, C order and Fortran order are the same. */
    private static boolean sameInBothOrders(long[] shape, long count) {
        return count == 0 || Arrays.stream(shape).filter(d -> d != 1).count() <= 1;
    }

    /** Returns the header of a little-endian array in C order, padded so that the data is aligned. */
    static byte[] encode(ElementType type, long... shape) {
        String descr = type.descr()
                .orElseThrow(() -> new InvalidInputException("NumPy has no " + type + "; write it as float32"));
        String dimensions = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + dimensions
                + (shape.length == 1 ? "," : "") + "), }";
        int total = aligned(PREFIX_1 + text.length() + 1);
        boolean isLong = total - PREFIX_1 > 0xFFFF;
        if (isLong) {
            total = aligned(PREFIX_2 + text.length() + 1);
        }
        ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).put((byte) (isLong ? 2 : 1)).put((byte) 0);
        if (isLong) {
            header.putInt(total - PREFIX_2);
        } else {
            header.putShort((short) (total - PREFIX_1));
        }
        header.put(text.getBytes(StandardCharsets.US_ASCII));
        while (header.remaining() > 1) {
            header.put((byte) ' ');
        }
        return header.put((byte) '\n').array();
    }

    private static int aligned(int bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
