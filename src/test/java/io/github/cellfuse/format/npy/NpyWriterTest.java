package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static io.github.cellfuse.format.npy.FormatFixtures.names;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpyWriterTest {
    @TempDir
    Path folder;

    private static float[] range(int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = k;
        }
        return values;
    }

    @Test
    void writesNumPysBytes() throws IOException {
        Path target = folder.resolve("cube.npy");
        try (NpyWriter out = NpyWriter.create(target, false, 2, 3, 4)) {
            assertArrayEquals(new long[] {2, 3, 4}, out.shape());
            out.write(0, FloatBuffer.wrap(range(24)));
            out.commit();
        }
        assertArrayEquals(Files.readAllBytes(file("cube.npy")), Files.readAllBytes(target));
        assertEquals(List.of("cube.npy"), names(folder));
    }

    @Test
    void writesEveryKindOfShape() {
        for (long[] shape : new long[][] {{}, {5}, {3, 0}, {0}, {1, 1, 1}}) {
            Path target = folder.resolve("shape.npy");
            try (NpyWriter out = NpyWriter.create(target, true, shape)) {
                out.write(0, FloatBuffer.wrap(range((int) out.elementCount())));
                out.commit();
            }
            try (NpyArray array = NpyArray.open(target)) {
                assertArrayEquals(shape, array.shape());
                assertArrayEquals(range((int) array.elementCount()), array.readAll());
            }
        }
    }

    @Test
    void switchesToVersion2ForALongHeader() throws IOException {
        long[] ones = new long[30_000];
        Arrays.fill(ones, 1);
        Path target = folder.resolve("long.npy");
        try (NpyWriter out = NpyWriter.create(target, false, ones)) {
            out.write(0, FloatBuffer.wrap(new float[] {7}));
            out.commit();
        }
        byte[] bytes = Files.readAllBytes(target);
        assertEquals(2, bytes[6]);
        assertEquals(0, (bytes.length - 4) % 64);
        try (NpyArray array = NpyArray.open(target)) {
            assertArrayEquals(ones, array.shape());
            assertArrayEquals(new float[] {7}, array.readAll());
        }
    }

    @Test
    void takesPiecesInAnyOrderFromManyThreads() {
        int count = 300_007;
        int piece = 1013;
        float[] values = range(count);
        Path target = folder.resolve("pieces.npy");
        try (NpyWriter out = NpyWriter.create(target, false, count)) {
            // Backwards, and one piece larger than the staging buffer twice over.
            FloatBuffer large = FloatBuffer.wrap(values, 100, 200_000);
            out.write(100, large);
            assertEquals(200_100, large.position());
            IntStream.rangeClosed(0, count / piece).parallel().forEach(k -> {
                int first = count / piece * piece - k * piece;
                out.write(first, FloatBuffer.wrap(values, first, Math.min(piece, count - first)));
            });
            out.commit();
        }
        try (NpyArray array = NpyArray.open(target)) {
            assertArrayEquals(values, array.readAll());
        }
    }

    @Test
    void writesPastTwoGibibytes() throws IOException {
        long count = 600_000_000;
        try (NpyWriter out = NpyWriter.create(folder.resolve("large.npy"), false, count)) {
            out.write(count - 2, FloatBuffer.wrap(new float[] {1, 2}));
            // The temporary file has its full length now: read it as it is.
            try (NpyArray array = NpyArray.open(folder.resolve(names(folder).get(0)))) {
                float[] three = new float[3];
                array.read(count - 3, FloatBuffer.wrap(three));
                assertArrayEquals(new float[] {0, 1, 2}, three);
            }
        }
        assertEquals(List.of(), names(folder));
    }

    @Test
    void leavesNothingBehindWithoutCommit() throws IOException {
        Path target = Files.writeString(folder.resolve("y.npy"), "old");
        NpyWriter out = NpyWriter.create(target, true, 2);
        out.write(0, FloatBuffer.wrap(range(2)));
        assertTrue(
                names(folder).get(0).matches("\\.y\\.npy\\.cellfuse-[a-z0-9]+\\.tmp"),
                names(folder).toString());
        out.close();
        out.close();
        assertEquals(List.of("y.npy"), names(folder));
        assertEquals("old", Files.readString(target));
        assertThrows(CellFuseException.class, () -> out.write(0, FloatBuffer.allocate(1)));
        assertThrows(CellFuseException.class, out::commit);
    }

    @Test
    void refusesToCommitHoles() throws IOException {
        NpyWriter out = NpyWriter.create(folder.resolve("y.npy"), false, 10);
        out.write(0, FloatBuffer.allocate(4));
        out.write(7, FloatBuffer.allocate(3));
        String message = assertThrows(CellFuseException.class, out::commit).getMessage();
        assertTrue(message.contains("element 4 of 10"), message);
        assertEquals(List.of(), names(folder));
    }

    @Test
    void refusesTargetsThatCannotBeWritten() throws IOException {
        Path target = Files.writeString(folder.resolve("y.npy"), "old");
        assertRefused(() -> NpyWriter.create(target, false, 2), target, "exists already");
        assertRefused(() -> NpyWriter.create(folder, true, 2), folder, "found a folder");
        assertRefused(() -> NpyWriter.create(folder.resolve("none/y.npy"), true, 2), "none", "doesn't exist");
        assertRefused(() -> NpyWriter.create(target.resolve("y.npy"), true, 2), "y.npy", "doesn't exist");
        assertRefused(() -> NpyWriter.create(folder.resolve("y".repeat(256)), true, 2), "can't be created");
        assertRefused(() -> NpyWriter.create(target, true, -1), "-1");
        assertRefused(() -> NpyWriter.create(target, true, 1L << 62), "overflows");
        assertEquals(List.of("y.npy"), names(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {"y", "\u00e9", "\ud83d\ude00"})
    void takesTheLongestNameThatAFileCanHave(String letter) throws IOException {
        int bytes = letter.getBytes(StandardCharsets.UTF_8).length;
        Path target = folder.resolve(letter.repeat(250 / bytes) + ".npy");
        try (NpyWriter out = NpyWriter.create(target, false, 1)) {
            out.write(0, FloatBuffer.allocate(1));
            out.commit();
        }
        assertEquals(List.of(target.getFileName().toString()), names(folder));
    }

    @Test
    void refusesATargetThatAppearsMeanwhile() throws IOException {
        Path target = folder.resolve("y.npy");
        NpyWriter out = NpyWriter.create(target, false, 1);
        out.write(0, FloatBuffer.allocate(1));
        Files.writeString(target, "another's");
        assertRefused(out::commit, "exists already");
        assertEquals("another's", Files.readString(target));
        assertEquals(List.of("y.npy"), names(folder));
    }

    @Test
    void refusesPiecesOutsideTheArray() {
        try (NpyWriter out = NpyWriter.create(folder.resolve("y.npy"), false, 4)) {
            assertRefused(() -> out.write(2, FloatBuffer.allocate(3)), "y.npy", "3 from element 2", "[4]");
            assertRefused(() -> out.write(-1, FloatBuffer.allocate(1)), "element -1");
            assertRefused(() -> out.write(Long.MAX_VALUE, FloatBuffer.allocate(1)), "9223372036854775807");
        }
    }

    @Test
    void replacesWhatALinkPointsAt() throws IOException {
        Path real = Files.writeString(folder.resolve("real.npy"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link.npy"), real);
        try (NpyWriter out = NpyWriter.create(link, true, 1)) {
            out.write(0, FloatBuffer.allocate(1));
            out.commit();
        }
        assertTrue(Files.isSymbolicLink(link));
        try (NpyArray array = NpyArray.open(real)) {
            assertEquals(1, array.elementCount());
        }
    }
}
