package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.assertSameValues;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.MappedFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyArrayTest {
    @TempDir
    Path folder;

    static Stream<String> expectations() throws IOException {
        return Files.readAllLines(file("npy_expected.tsv")).stream();
    }

    @ParameterizedTest
    @MethodSource("expectations")
    void givesNumPysValues(String line) {
        String[] fields = line.split("\t", -1);
        long[] shape = fields[1].isEmpty()
                ? new long[0]
                : Stream.of(fields[1].split(",")).mapToLong(Long::parseLong).toArray();
        String[] words = fields[2].isEmpty() ? new String[0] : fields[2].split(" ");
        float[] expected = new float[words.length];
        for (int k = 0; k < words.length; k++) {
            expected[k] = Float.intBitsToFloat(Integer.parseUnsignedInt(words[k], 16));
        }
        try (NpyArray array = NpyArray.open(file(fields[0] + ".npy"))) {
            assertArrayEquals(shape, array.shape());
            assertEquals(expected.length, array.elementCount());
            assertSameValues(expected, array.readAll());
        }
    }

    @Test
    void keepsTheBitsOfFloat32() throws IOException {
        int[] bits = {0x7FC00001, 0xFF800001, 0x80000000, 1};
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            ByteBuffer data = ByteBuffer.allocate(16).order(order);
            data.asIntBuffer().put(bits);
            String descr = order == ByteOrder.LITTLE_ENDIAN ? "<f4" : ">f4";
            try (NpyArray array = NpyArray.open(npy(header(descr, "(4,)"), data.array()))) {
                assertArrayEquals(bits, rawBits(array.readAll()), descr);
            }
        }
    }

    private static int[] rawBits(float[] values) {
        return IntStream.range(0, values.length)
                .map(k -> Float.floatToRawIntBits(values[k]))
                .toArray();
    }

    @Test
    void readsPiecesIntoAnyBuffer() {
        try (NpyArray array = NpyArray.open(file("cube.npy"))) {
            FloatBuffer direct =
                    ByteBuffer.allocateDirect(40).order(ByteOrder.nativeOrder()).asFloatBuffer();
            direct.position(2).limit(7);
            array.read(19, direct);
            assertEquals(7, direct.position());
            assertEquals(0f, direct.get(1));
            assertEquals(19f, direct.get(2));
            assertEquals(23f, direct.get(6));
            array.read(24, FloatBuffer.allocate(0));
            assertRefused(
                    () -> array.read(20, FloatBuffer.allocate(5)), "cube.npy", "24", "[2, 3, 4]", "5 from element 20");
            assertRefused(() -> array.read(-1, FloatBuffer.allocate(1)), "element -1");
            assertRefused(() -> array.read(Long.MAX_VALUE, FloatBuffer.allocate(1)), "element 9223372036854775807");
        }
    }

    @Test
    void readsConcurrently() {
        try (NpyArray array = NpyArray.open(file("cube.npy"))) {
            IntStream.range(0, 2000).parallel().forEach(k -> {
                float[] value = new float[1];
                array.read(k % 24, FloatBuffer.wrap(value));
                assertEquals(k % 24, value[0]);
            });
        }
    }

    @Test
    void readsIntegers() throws IOException {
        for (String type : new String[] {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}) {
            for (String order : new String[] {"<", ">", "=", "|"}) {
                int size = type.charAt(1) - '0';
                ByteBuffer data = ByteBuffer.allocate(3 * size)
                        .order(
                                order.equals("<")
                                        ? ByteOrder.LITTLE_ENDIAN
                                        : order.equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.nativeOrder());
                for (int k = 0; k < 3; k++) {
                    int lowest = data.order() == ByteOrder.LITTLE_ENDIAN ? k * size : k * size + size - 1;
                    data.put(lowest, (byte) (k + 5));
                }
                try (NpyArray array = NpyArray.open(npy(header(order + type, "(3,)"), data.array()))) {
                    assertArrayEquals(new int[] {5, 6, 7}, array.readInts(0, 3), order + type);
                    assertArrayEquals(new int[] {7}, array.readInts(2, 1), order + type);
                }
            }
        }
    }

    @Test
    void refusesIntegersThatAreNone() {
        try (NpyArray floats = NpyArray.open(file("cube.npy"));
                NpyArray bools = NpyArray.open(file("little_b1.npy"));
                NpyArray longs = NpyArray.open(file("big_i8.npy"));
                NpyArray unsigned = NpyArray.open(file("little_u8.npy"));
                NpyArray words = NpyArray.open(file("little_u4.npy"))) {
            assertRefused(() -> floats.readInts(0, 1), "cube.npy", "expected integers", "float32", "astype(np.int32)");
            assertRefused(() -> bools.readInts(0, 1), "expected integers", "bool");
            assertRefused(() -> longs.readInts(0, 4), "element 2", "32-bit", "-9223372036854775808");
            assertRefused(() -> unsigned.readInts(3, 1), "element 3", "18446744073709551615");
            assertRefused(() -> words.readInts(3, 1), "element 3", "4294967295");
            assertRefused(() -> longs.readInts(9, 10), "10 from element 9");
            assertRefused(() -> longs.readInts(0, -1), "-1 from element 0");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            refused_complex    | complex numbers
            refused_object     | Python objects
            refused_string     | strings
            refused_structured | structured
            refused_dates      | dates
            """)
    void refusesWhatNumPyWrites(String name, String reason) {
        assertRefused(() -> NpyArray.open(file(name + ".npy")), name, reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            {'descr': '<f4', 'fortran_order': False}                              | no shape
            {'descr': '<f4', 'shape': (2,)}                                       | no fortran_order
            {'fortran_order': False, 'shape': (2,)}                               | no descr
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': '1'}     | 'x'
            {'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()} | descr twice
            {'descr': '<f4', 'fortran_order': False, 'shape': (2)}                | tuple
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,}                | expected a size
            {'descr': '<f4', 'fortran_order': False, 'shape': [2]}                | expected '('
            {'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}              | size of 0 or more
            {'descr': '<f4', 'fortran_order': False, 'shape': (02,)}              | leading zeros
            {'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}             | expected ')'
            {'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)} | below 2^63
            {'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)} | overflows
            {'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)} | overflows
            {'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}                   | True or False
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x             | expected the end
            {'descr': '<f4', 'fortran_order': False, 'shape': (2,)                | found the end
            {'descr': '<f4' 'fortran_order': False, 'shape': (2,)}                | expected '}'
            {'descr: <f4                                                          | ends
            {'descr': '<f\\x34', 'fortran_order': False, 'shape': (2,)}           | escapes
            {descr: '<f4', 'fortran_order': False, 'shape': (2,)}                 | expected a string
            __import__('os')                                                      | expected '{'
            {'descr': b'<f4', 'fortran_order': False, 'shape': (2,)}              | expected a string
            {'descr': '<x4', 'fortran_order': False, 'shape': (2,)}               | unknown dtype
            {'descr': '<f16', 'fortran_order': False, 'shape': (2,)}              | floats of a size
            {'descr': '', 'fortran_order': False, 'shape': (2,)}                  | unknown dtype
            """)
    void refusesBrokenHeaders(String header, String reason) throws IOException {
        Path file = npy(header, new byte[8]);
        assertRefused(() -> NpyArray.open(file), file, reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2,)}",
                "{ 'shape':(2L,) ,'descr':'=f4','fortran_order':True}",
                "{'descr': '|f4', 'fortran_order': False, 'shape': (1, 2, ), }   \n",
                "{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}",
                "{'descr': 'float32', 'fortran_order': False, 'shape': (2,)}",
                "{u'descr': u'<f4', u'fortran_order': False, U\"shape\": (2L,)}"
            })
    void takesWhateverPythonWouldTake(String header) throws IOException {
        try (NpyArray array = NpyArray.open(npy(header, new byte[8]))) {
            assertEquals(2, array.elementCount());
        }
    }

    @Test
    void refusesDamagedFiles() throws IOException {
        byte[] good = Files.readAllBytes(file("cube.npy"));
        assertRefused(() -> NpyArray.open(folder.resolve("none.npy")), "none.npy: no such file");
        assertRefused(() -> NpyArray.open(folder), "found a folder");
        assertRefused(() -> NpyArray.open(write(new byte[0])), "not a NumPy file", "empty");
        assertRefused(() -> NpyArray.open(write("a,b,c\n1,2,3\n".getBytes())), "not a NumPy file");
        assertRefused(() -> NpyArray.open(write(Arrays.copyOf(good, 8))), "truncated", "found 8");
        assertRefused(() -> NpyArray.open(write(Arrays.copyOf(good, 60))), "truncated", "118", "found 50");
        assertRefused(
                () -> NpyArray.open(write(Arrays.copyOf(good, good.length - 1))), "truncated", "96 bytes", "found 95");
        try (NpyArray longer = NpyArray.open(write(Arrays.copyOf(good, good.length + 1)))) {
            assertEquals(24, longer.elementCount(), "NumPy ignores what is behind an array");
        }
        byte[] version = good.clone();
        version[6] = 4;
        assertRefused(() -> NpyArray.open(write(version)), "version", "1.0, 2.0 or 3.0", "4.0");
        byte[] endless = Files.readAllBytes(file("version2.npy"));
        endless[11] = (byte) 0xFF;
        assertRefused(() -> NpyArray.open(write(endless)), "truncated in the header", "42781");
    }

    @Test
    void readsPastTwoGibibytes() throws IOException {
        long count = 600_000_000;
        Path file = folder.resolve("large.npy");
        byte[] header = NpyHeader.encode(ElementType.FLOAT32, count);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(header);
            sparse.setLength(header.length + 4 * count);
            // Around the border between two windows, and at the end.
            for (long element :
                    new long[] {(1L << 28) - header.length / 4 - 1, (1L << 29) - header.length / 4, count - 1}) {
                sparse.seek(header.length + 4 * element);
                sparse.writeInt(Integer.reverseBytes(Float.floatToIntBits(element)));
            }
        }
        try (NpyArray array = NpyArray.open(file)) {
            float[] three = new float[3];
            array.read((1L << 28) - header.length / 4 - 2, FloatBuffer.wrap(three));
            assertArrayEquals(new float[] {0, (1L << 28) - header.length / 4 - 1, 0}, three);
            array.read((1L << 29) - header.length / 4 - 1, FloatBuffer.wrap(three));
            assertArrayEquals(new float[] {0, (1L << 29) - header.length / 4, 0}, three);
            array.read(count - 3, FloatBuffer.wrap(three));
            assertArrayEquals(new float[] {0, 0, count - 1}, three);
        }
    }

    @Test
    void refusesToReadAllOfTooMuch() throws IOException {
        long count = 1L << 31;
        Path file = folder.resolve("bytes.npy");
        byte[] header = new String(NpyHeader.encode(ElementType.FLOAT32, count), StandardCharsets.ISO_8859_1)
                .replace("<f4", "|i1")
                .getBytes(StandardCharsets.ISO_8859_1);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(header);
            sparse.setLength(header.length + count);
        }
        try (NpyArray array = NpyArray.open(file)) {
            assertRefused(array::readAll, "bytes.npy", "2147483648 values");
            assertEquals(0, array.readInts(count - 1, 1)[0]);
        }
    }

    @Test
    void readsAcrossWindowsOfAnySizeAndAlignment() throws IOException {
        for (String name : new String[] {"cube", "big_f8", "little_f2"}) {
            byte[] good = Files.readAllBytes(file(name + ".npy"));
            for (int shift = 0; shift < 8; shift++) {
                byte[] shifted = new byte[shift + good.length];
                System.arraycopy(good, 0, shifted, shift, good.length);
                try (MappedFile small = MappedFile.open(write(shifted), 16);
                        NpyArray array = NpyArray.of(small, shift, shifted.length, name);
                        NpyArray whole = NpyArray.open(file(name + ".npy"))) {
                    assertSameValues(whole.readAll(), array.readAll());
                }
            }
        }
    }

    @Test
    void refusesReadsAfterClose() {
        NpyArray array = NpyArray.open(file("cube.npy"));
        array.close();
        array.close();
        CellFuseException e = assertThrows(CellFuseException.class, () -> array.read(0, FloatBuffer.allocate(1)));
        assertEquals(false, e instanceof InvalidInputException);
    }

    private static String header(String descr, String shape) {
        return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}";
    }

    private Path npy(String header, byte[] data) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(10 + header.length() + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
        bytes.putShort((short) header.length()).put(header.getBytes()).put(data);
        return write(bytes.array());
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile(folder, "test", ".npy"), bytes);
    }
}
