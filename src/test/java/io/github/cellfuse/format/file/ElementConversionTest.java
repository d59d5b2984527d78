package io.github.cellfuse.format.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Arrays of every type: written, read back, and read as other types. */
class ElementConversionTest {
    @TempDir
    Path folder;

    private Path write(ElementType type, ByteOrder order, long... bits) {
        Path file = folder.resolve(type + ".npy");
        ByteBuffer bytes = ByteBuffer.allocate(bits.length * type.bytes()).order(order);
        for (long value : bits) {
            put(bytes, type, value);
        }
        try (NpyWriter writer = NpyWriter.create(file, true, type, bits.length)) {
            writer.write(0, bytes.flip());
            writer.commit();
        }
        return file;
    }

    private static void put(ByteBuffer bytes, ElementType type, long value) {
        switch (type.bytes()) {
            case 1 -> bytes.put((byte) value);
            case 2 -> bytes.putShort((short) value);
            case 4 -> bytes.putInt((int) value);
            default -> bytes.putLong(value);
        }
    }

    private static ByteBuffer read(Path file, ElementType type, ByteOrder order) {
        try (NpyArray array = NpyArray.open(file)) {
            ByteBuffer target = ByteBuffer.allocate((int) array.elementCount() * type.bytes())
                    .order(order);
            array.read(0, type, target);
            assertEquals(0, target.remaining());
            return target.flip();
        }
    }

    @Test
    void theSameTypeIsTheSameBitsInAnyByteOrder() {
        for (ElementType type : ElementType.values()) {
            if (type.descr().isEmpty()) {
                assertThrows(InvalidInputException.class, () -> write(type, ByteOrder.LITTLE_ENDIAN, 1));
                continue;
            }
            for (ByteOrder from : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
                for (ByteOrder to : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
                    long bits = 0x8102_0304_0506_07FEL;
                    ByteBuffer found = read(write(type, from, bits, 1), type, to);
                    ByteBuffer expected = ByteBuffer.allocate(2 * type.bytes()).order(to);
                    put(expected, type, bits);
                    put(expected, type, 1);
                    assertEquals(expected.flip(), found, type.toString());
                }
            }
        }
    }

    @Test
    void integersBecomeIntegersWhereTheyFit() {
        Path signed = write(ElementType.INT64, ByteOrder.nativeOrder(), -1, 127, -128);
        ByteBuffer bytes = read(signed, ElementType.INT8, ByteOrder.nativeOrder());
        assertEquals(-1, bytes.get(0));
        assertEquals(-128, bytes.get(2));
        assertEquals(-128, read(signed, ElementType.INT32, ByteOrder.BIG_ENDIAN).getInt(8));
        refused(signed, ElementType.UINT8, "holds, found -1");
        refused(signed, ElementType.UINT64, "holds, found -1");
        refused(signed, ElementType.BOOL, "holds, found -1");
        Path unsigned = write(ElementType.UINT64, ByteOrder.nativeOrder(), -1);
        refused(unsigned, ElementType.INT64, "holds, found 18446744073709551615");
        assertEquals(
                0x1p64,
                read(unsigned, ElementType.FLOAT64, ByteOrder.nativeOrder()).getDouble(0));
        Path bool = write(ElementType.BOOL, ByteOrder.nativeOrder(), 1, 0, 2);
        assertEquals(1, read(bool, ElementType.INT64, ByteOrder.nativeOrder()).getLong(16));
        assertEquals(1, read(bool, ElementType.FLOAT16, ByteOrder.nativeOrder()).getShort(0) >>> 10 & 1);
        for (ElementType type : ElementType.values()) {
            if (type.isInteger()) {
                Path one = write(type, ByteOrder.nativeOrder(), 1, 0);
                assertEquals(
                        1, read(one, ElementType.BOOL, ByteOrder.nativeOrder()).get(0));
                assertEquals(
                        1,
                        read(one, ElementType.FLOAT64, ByteOrder.nativeOrder()).getDouble(0));
            }
        }
    }

    @Test
    void floatsStayFloats() {
        Path doubles = write(ElementType.FLOAT64, ByteOrder.nativeOrder(), Double.doubleToRawLongBits(0.1), 0);
        assertEquals(
                0.1, read(doubles, ElementType.FLOAT64, ByteOrder.BIG_ENDIAN).getDouble(0));
        assertEquals(
                0.1f,
                read(doubles, ElementType.FLOAT32, ByteOrder.nativeOrder()).getFloat(0));
        assertEquals(
                (short) 0x2E66,
                read(doubles, ElementType.FLOAT16, ByteOrder.nativeOrder()).getShort(0));
        assertEquals(
                (short) 0x3DCD,
                read(doubles, ElementType.BFLOAT16, ByteOrder.nativeOrder()).getShort(0));
        refused(
                doubles,
                ElementType.INT64,
                "dtype: expected int64, found float64; convert it with array.astype(np.int64)");
        refused(doubles, ElementType.BOOL, "dtype: expected bool, found float64");
    }

    @Test
    void halfAnElementAndAnotherTypeAreRefused() {
        try (NpyWriter writer = NpyWriter.create(folder.resolve("x.npy"), true, ElementType.INT32, 2)) {
            assertEquals(ElementType.INT32, writer.type());
            assertThrows(InvalidInputException.class, () -> writer.write(0, ByteBuffer.allocate(6)));
            assertThrows(InvalidInputException.class, () -> writer.write(1, ByteBuffer.allocate(8)));
            assertThrows(InvalidInputException.class, () -> writer.write(0, java.nio.FloatBuffer.allocate(2)));
        }
    }

    private static void refused(Path file, ElementType type, String part) {
        String message = assertThrows(InvalidInputException.class, () -> read(file, type, ByteOrder.nativeOrder()))
                .getMessage();
        assertTrue(message.contains(file.toString()) && message.contains(part), message);
    }
}
