package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Tensors for tests: out of files, at random, and compared. */
public final class Tensors {
    private Tensors() {}

    /** All arrays of an archive by name. */
    public static Map<String, Tensor> of(Path archive) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (NpzArchive file = NpzArchive.open(archive)) {
            for (String name : file.names()) {
                try (NpyArray array = file.array(name)) {
                    ByteBuffer bytes = ByteBuffer.allocateDirect(
                                    (int) array.elementCount() * array.type().bytes())
                            .order(ByteOrder.nativeOrder());
                    array.read(0, array.type(), bytes);
                    tensors.put(name, new Tensor(array.type(), bytes.flip(), array.shape()));
                }
            }
        }
        return tensors;
    }

    /** Normal numbers. */
    public static Tensor random(Random random, long... shape) {
        float[] values = new float[Tensor.size(ElementType.INT8, shape)];
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) random.nextGaussian();
        }
        return Tensor.of(values, shape);
    }

    /** The values as double. */
    public static double[] values(Tensor tensor) {
        ByteBuffer bytes = tensor.bytes();
        double[] values = new double[tensor.elementCount()];
        int size = tensor.type().bytes();
        for (int k = 0; k < values.length; k++) {
            values[k] = switch (tensor.type()) {
                case FLOAT32 -> bytes.getFloat(k * size);
                case FLOAT64 -> bytes.getDouble(k * size);
                case FLOAT16 -> HalfPrecision.float16ToFloat(bytes.getShort(k * size));
                case BFLOAT16 -> HalfPrecision.bfloat16ToFloat(bytes.getShort(k * size));
                case INT64, UINT64 -> bytes.getLong(k * size);
                case INT32, UINT32 -> bytes.getInt(k * size);
                case INT16, UINT16 -> bytes.getShort(k * size);
                case INT8, UINT8, BOOL -> bytes.get(k * size);
            };
        }
        return values;
    }

    /** The same type and shape, and no value further than {@code tolerance} from what is expected. */
    public static void assertClose(String what, Tensor expected, Tensor found, double tolerance) {
        assertEquals(expected.type(), found.type(), what);
        assertArrayEquals(expected.shape(), found.shape(), what);
        double[] e = values(expected), f = values(found);
        for (int k = 0; k < e.length; k++) {
            int at = k;
            assertTrue(
                    Math.abs(e[k] - f[k]) <= tolerance,
                    () -> what + "[" + at + "]: expected " + e[at] + ", found " + f[at]);
        }
    }

    /** The same bits. */
    public static void assertSame(String what, Tensor expected, Tensor found) {
        assertEquals(expected.type(), found.type(), what);
        assertArrayEquals(expected.shape(), found.shape(), what);
        assertEquals(-1, expected.bytes().mismatch(found.bytes()), what + ": first differing byte");
    }
}
