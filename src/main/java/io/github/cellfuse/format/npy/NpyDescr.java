package io.github.cellfuse.format.npy;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * A dtype of a {@code .npy} file: {@code <f4} is a little-endian float of 4 bytes. NumPy writes the byte order, the
 * kind and the size, and reads every name that it has for a dtype: {@code f4}, {@code =f4}, {@code f} and
 * {@code float32}.
 */
record NpyDescr(ElementType type, ByteOrder order) {

    static NpyDescr parse(NpyHeaderText text, Object label) {
        String descr = text.descr();
        boolean hasOrder = !descr.isEmpty() && "<>=|".indexOf(descr.charAt(0)) >= 0;
        ByteOrder order = switch (hasOrder ? descr.charAt(0) : '=') {
            case '<' -> ByteOrder.LITTLE_ENDIAN;
            case '>' -> ByteOrder.BIG_ENDIAN;
            default -> ByteOrder.nativeOrder();
        };
        String name = hasOrder ? descr.substring(1) : descr;
        return new NpyDescr(type(name).orElseThrow(() -> refused(text, name, label)), order);
    }

    private static Optional<ElementType> type(String name) {
        return Optional.ofNullable(
                switch (name) {
                    case "f2", "e", "float16", "half" -> ElementType.FLOAT16;
                    case "f4", "f", "float32", "single" -> ElementType.FLOAT32;
                    case "f8", "d", "float64", "double", "float" -> ElementType.FLOAT64;
                    case "i1", "b", "int8", "byte" -> ElementType.INT8;
                    case "i2", "h", "int16", "short" -> ElementType.INT16;
                    case "i4", "i", "int32", "intc" -> ElementType.INT32;
                    case "i8", "q", "l", "int64", "longlong", "int" -> ElementType.INT64;
                    case "u1", "B", "uint8", "ubyte" -> ElementType.UINT8;
                    case "u2", "H", "uint16", "ushort" -> ElementType.UINT16;
                    case "u4", "I", "uint32", "uintc" -> ElementType.UINT32;
                    case "u8", "Q", "L", "uint64", "ulonglong", "uint" -> ElementType.UINT64;
                    case "b1", "?", "bool" -> ElementType.BOOL;
                    default -> null;
                });
    }

    /** The error for a dtype that isn't a number's, with the line that makes numbers of it. */
    private static InvalidInputException refused(NpyHeaderText text, String name, Object label) {
        char kind = name.isEmpty() ? ' ' : name.charAt(0);
        String array = PythonLines.load(label);
        return switch (kind) {
            case 'c', 'F', 'D', 'G' ->
                refused(
                        text,
                        label,
                        "complex numbers, each of which can become two features",
                        "a = " + array + "; " + PythonLines.save("np.concatenate([a.real, a.imag], -1)"));
            case 'O' -> objects(text, label);
            case 'S', 'a', 'U' -> refused(text, label, "strings", PythonLines.save(array + ".astype(np.float32)"));
            case 'M' ->
                refused(
                        text,
                        label,
                        "dates, which can become seconds since the first",
                        "a = " + array + "; " + PythonLines.save("(a - a.min()) / np.timedelta64(1, \"s\")"));
            case 'm' ->
                refused(
                        text,
                        label,
                        "time spans, which can become seconds",
                        PythonLines.save(array + " / np.timedelta64(1, \"s\")"));
            case 'V' ->
                refused(
                        text,
                        label,
                        "raw bytes, such as bfloat16",
                        "import ml_dtypes; "
                                + PythonLines.save(array + ".view(ml_dtypes.bfloat16).astype(np.float32)"));
            case 'f', 'g' ->
                refused(
                        text,
                        label,
                        "floats of a size that isn't 2, 4 or 8 bytes",
                        PythonLines.save(array + ".astype(np.float64)"));
            default -> refused(text, label, "unknown dtype", PythonLines.save(array + ".astype(np.float32)"));
        };
    }

    /** Sequences of different lengths are the usual objects: NumPy has no other array for them. */
    private static InvalidInputException objects(NpyHeaderText text, Object label) {
        String array = PythonLines.loadObjects(label);
        if (text.shape().length != 1) {
            return refused(text, label, "Python objects", PythonLines.save(array + ".astype(np.float32)"));
        }
        return refused(
                text,
                label,
                "Python objects, such as sequences [t, I] of different lengths",
                "a = " + array
                        + "; n = [len(s) for s in a]; np.save(\"lengths.npy\", n); "
                        + PythonLines.save("np.stack([np.pad(s, ((0, max(n) - len(s)), (0, 0))) for s in a])")
                        + "; that is [N, T, I] with zeros behind each; run it with --lengths lengths.npy");
    }

    /** The error for a structured dtype, whose description is a list. */
    static InvalidInputException structured(Object label) {
        return Problems.invalid(
                label,
                "dtype: expected float16/32/64, an integer or bool, found a structured dtype; convert it in Python:"
                        + " from numpy.lib.recfunctions import structured_to_unstructured; "
                        + PythonLines.save("structured_to_unstructured(" + PythonLines.load(label) + ")"));
    }

    private static InvalidInputException refused(NpyHeaderText text, Object label, String kind, String advice) {
        return Problems.invalid(
                label,
                "dtype: expected float16/32/64, an integer or bool, found " + Problems.quote(text.descr()) + " (" + kind
                        + "); convert it in Python: " + advice);
    }
}
