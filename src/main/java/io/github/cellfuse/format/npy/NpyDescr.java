package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteOrder;

/** A dtype of a {@code .npy} file: {@code <f4} is a little-endian float of 4 bytes. */
record NpyDescr(ElementType type, ByteOrder order) {

    static NpyDescr parse(String descr, Object label) {
        if (descr.length() < 2) {
            throw refused(descr, "unknown dtype", label);
        }
        ByteOrder order = switch (descr.charAt(0)) {
            case '<' -> ByteOrder.LITTLE_ENDIAN;
            case '>' -> ByteOrder.BIG_ENDIAN;
            case '=', '|' -> ByteOrder.nativeOrder();
            default -> throw refused(descr, "unknown dtype", label);
        };
        ElementType type = switch (descr.substring(1)) {
            case "f2" -> ElementType.FLOAT16;
            case "f4" -> ElementType.FLOAT32;
            case "f8" -> ElementType.FLOAT64;
            case "i1" -> ElementType.INT8;
            case "i2" -> ElementType.INT16;
            case "i4" -> ElementType.INT32;
            case "i8" -> ElementType.INT64;
            case "u1" -> ElementType.UINT8;
            case "u2" -> ElementType.UINT16;
            case "u4" -> ElementType.UINT32;
            case "u8" -> ElementType.UINT64;
            case "b1" -> ElementType.BOOL;
            default -> throw refused(descr, kind(descr), label);
        };
        return new NpyDescr(type, order);
    }

    private static String kind(String descr) {
        return switch (descr.charAt(1)) {
            case 'c' -> "complex numbers";
            case 'O' -> "Python objects";
            case 'S', 'a', 'U' -> "strings";
            case 'V' -> "a structured or raw dtype";
            case 'M', 'm' -> "dates or time spans";
            case 'f' -> "floats of a size that isn't 2, 4 or 8 bytes";
            default -> "unknown dtype";
        };
    }

    private static InvalidInputException refused(String descr, String kind, Object label) {
        return Problems.invalid(
                label,
                "dtype: expected float16/32/64, an integer or bool, found " + Problems.quote(descr) + " (" + kind
                        + "); convert it with array.astype(np.float32)");
    }
}
