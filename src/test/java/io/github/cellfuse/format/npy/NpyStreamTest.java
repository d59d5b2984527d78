package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.assertSameValues;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ElementType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Arrays through pipes. */
class NpyStreamTest {
    @TempDir
    Path folder;

    private static NpyStream stream(byte[] bytes) {
        return NpyStream.open(new ByteArrayInputStream(bytes), "stdin");
    }

    /** {@code [rows,2]}: the numbers from 0 on, several blocks of them. */
    private static byte[] numbers(int rows) {
        byte[] header = NpyHeader.encode(ElementType.FLOAT32, rows, 2);
        ByteBuffer bytes = ByteBuffer.allocate(header.length + 8 * rows).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(header);
        IntStream.range(0, 2 * rows).forEach(bytes::putFloat);
        return bytes.array();
    }

    @Test
    void hasTheValuesOfTheFile() throws IOException {
        for (String name : List.of("cube", "big_f8", "little_u1", "version2", "scalar", "empty")) {
            byte[] bytes = Files.readAllBytes(file(name + ".npy"));
            try (NpyStream stream = stream(bytes);
                    NpyStream spooled = stream(bytes);
                    NpyArray copy = spooled.spool();
                    NpyArray array = NpyArray.open(file(name + ".npy"))) {
                float[] values = new float[(int) array.elementCount()];
                stream.read(0, FloatBuffer.wrap(values));
                assertSameValues(array.readAll(), values);
                assertSameValues(array.readAll(), copy.readAll());
                assertArrayEquals(array.shape(), stream.shape());
            }
        }
        assertEquals(false, stream(Files.readAllBytes(file("fortran.npy"))).isRowByRow());
    }

    @Test
    void keepsWhatIsNotReleased() {
        int rows = 1 << 20, piece = 50_000;
        try (NpyStream stream = stream(numbers(rows))) {
            Random random = new Random(1);
            float[] found = new float[piece];
            for (int from = 0; from + 3 * piece <= 2 * rows; from += piece) {
                for (int times = 0; times < 3; times++) {
                    int first = from + random.nextInt(2 * piece);
                    stream.read(first, FloatBuffer.wrap(found));
                    for (int k = 0; k < piece; k += 997) {
                        assertEquals(first + k, found[k], 0);
                    }
                }
                stream.release(from);
            }
            CellFuseException lost =
                    assertThrows(CellFuseException.class, () -> stream.read(0, FloatBuffer.wrap(found)));
            assertTrue(lost.getMessage().startsWith("stdin: element 0 is needed again"), lost.getMessage());
        }
    }

    @Test
    void refusesWhatIsCut() throws IOException {
        byte[] good = Files.readAllBytes(file("cube.npy"));
        assertRefused(() -> stream(new byte[0]), "stdin: expected a .npy file, found that it ended");
        assertRefused(() -> stream(Arrays.copyOf(good, 3)), "stdin: not a NumPy file");
        assertRefused(() -> stream(Arrays.copyOf(good, 60)), "stdin: truncated in the header");
        try (NpyStream cut = stream(Arrays.copyOf(good, good.length - 1))) {
            cut.read(0, FloatBuffer.allocate(23));
            assertRefused(() -> cut.read(23, FloatBuffer.allocate(1)), "expected 96 bytes", "ended after 95");
        }
        assertRefused(() -> stream(Arrays.copyOf(good, good.length - 1)).spool(), "stdin: truncated", "found 95");
    }

    @Test
    void writesInOrder() throws IOException {
        byte[] expected = numbers(30);
        for (int seed = 0; seed < 20; seed++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            List<Integer> order = new ArrayList<>(IntStream.range(0, 10).boxed().toList());
            Collections.shuffle(order, new Random(seed));
            try (NpyPipe pipe = new NpyPipe("stdout", bytes, 30, 2)) {
                for (int k : order) {
                    float[] six = {6 * k, 6 * k + 1, 6 * k + 2, 6 * k + 3, 6 * k + 4, 6 * k + 5};
                    pipe.write(6 * k, FloatBuffer.wrap(six));
                }
                CellFuseException twice =
                        assertThrows(CellFuseException.class, () -> pipe.write(6, FloatBuffer.allocate(6)));
                assertTrue(twice.getMessage().contains("can't take it back"), twice.getMessage());
                pipe.commit();
            }
            assertArrayEquals(expected, bytes.toByteArray());
        }
    }

    @Test
    void isNotCommittedUnlessComplete() {
        try (NpyPipe pipe = new NpyPipe("stdout", OutputStream.nullOutputStream(), 3)) {
            pipe.write(1, FloatBuffer.allocate(2));
            CellFuseException e = assertThrows(CellFuseException.class, pipe::commit);
            assertTrue(e.getMessage().contains("element 0 of 3 was never written"), e.getMessage());
        }
    }
}
