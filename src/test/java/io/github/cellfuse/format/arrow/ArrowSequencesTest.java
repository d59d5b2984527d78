package io.github.cellfuse.format.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.fuzz.Damage;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On files that {@code src/test/node/make_arrow_cases.mjs} has written. */
class ArrowSequencesTest {
    private static final int ROWS = 5;
    private static final int FEATURES = 2;

    @TempDir
    Path folder;

    private static Path file(String name) {
        return Path.of("src/test/resources/arrow").resolve(name + ".arrow");
    }

    private static ArrowSequences open(String name) {
        return ArrowSequences.open(file(name), Optional.empty(), FEATURES);
    }

    private static float value(int row, int step, int feature) {
        return 100 * row + 10 * step + feature;
    }

    private static int length(int row) {
        return row == 2 ? 0 : row + 1;
    }

    @ParameterizedTest
    @ValueSource(strings = {"flat", "float64", "int32", "nested"})
    void rowsOfOneLength(String name) {
        try (ArrowSequences column = open(name)) {
            assertArrayEquals(new long[] {ROWS, 3, FEATURES}, column.shape());
            assertTrue(column.readLengths(0, ROWS).isEmpty());
            assertEquals(file(name) + ":x", column.name());
            float[] all = new float[ROWS * 3 * FEATURES];
            for (int k = 0; k < all.length; k++) {
                all[k] = value(k / 6, k / 2 % 3, k % 2);
            }
            assertValues(all, column);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"list", "large_list", "list_of_fixed", "list_of_lists"})
    void rowsOfTheirOwnLength(String name) {
        try (ArrowSequences column = open(name)) {
            assertArrayEquals(new long[] {ROWS, 5, FEATURES}, column.shape());
            float[] all = new float[ROWS * 5 * FEATURES];
            for (int k = 0; k < all.length; k++) {
                int step = k / 2 % 5;
                all[k] = step < length(k / 10) ? value(k / 10, step, k % 2) : 0;
            }
            assertValues(all, column);
            for (int first = 0; first <= ROWS; first++) {
                for (int end = first; end <= ROWS; end++) {
                    int[] lengths = column.readLengths(first, end - first).orElseThrow();
                    assertEquals(end - first, lengths.length);
                    for (int k = 0; k < lengths.length; k++) {
                        assertEquals(length(first + k), lengths[k]);
                    }
                }
            }
        }
    }

    /** Every range of elements. */
    private static void assertValues(float[] all, ArrowSequences column) {
        for (int first = 0; first <= all.length; first++) {
            for (int end = first; end <= all.length; end++) {
                FloatBuffer target = FloatBuffer.allocate(end - first);
                Arrays.fill(target.array(), Float.NaN);
                column.read(first, target);
                assertEquals(0, target.remaining());
                assertArrayEquals(Arrays.copyOfRange(all, first, end), target.array());
            }
        }
        assertThrows(InvalidInputException.class, () -> column.read(all.length, FloatBuffer.allocate(1)));
    }

    private static void assertRefused(Path file, Optional<String> column, String message) {
        InvalidInputException e = assertThrows(
                InvalidInputException.class,
                () -> ArrowSequences.open(file, column, FEATURES).close());
        assertEquals(file + ": " + message, e.getMessage());
    }

    private static void assertRefused(String name, String message) {
        assertRefused(file(name), Optional.empty(), message);
    }

    @Test
    void columnsAreChosenByName() {
        try (ArrowSequences column = ArrowSequences.open(file("two"), Optional.of("b"), FEATURES)) {
            assertArrayEquals(new long[] {ROWS, 3, FEATURES}, column.shape());
        }
        assertRefused(
                "two",
                "expected one column of lists of numbers, found 'a', 'b'; choose one as " + file("two") + ":NAME");
        assertRefused(file("two"), Optional.of("c"), "expected a column 'c', found 'a', 'b'");
        assertRefused("none", "expected a column of lists of numbers, found none among 'id', 'label'");
        assertRefused(
                file("flat"),
                Optional.of("label"),
                "column 'label': expected lists of numbers, or of lists of numbers, found Utf8");
        assertRefused(
                file("nested"),
                Optional.of("words"),
                "column 'words': expected lists of numbers, or of lists of numbers, found List<Utf8>");
    }

    @Test
    void nullsAreRefusedByTheirRow() {
        assertRefused("null_row", "column 'x': row 3: expected no nulls, found that it is null");
        assertRefused("null_list", "column 'x': row 4: expected no nulls, found that it is null");
        assertRefused("null_value", "column 'x': row 3: expected no nulls, found that one of its values is null");
        assertRefused("null_in_list", "column 'x': row 3: expected no nulls, found that one of its values is null");
    }

    @Test
    void rowsThatAreNoWholeSteps() {
        assertRefused("odd", "column 'x': row 3: expected a multiple of 2 values, the features of the model, found 3");
        assertRefused(
                "odd_lists", "column 'x': row 3: expected 2 values in each step, the features of the model, found 1");
        InvalidInputException e =
                assertThrows(InvalidInputException.class, () -> ArrowSequences.open(file("flat"), Optional.empty(), 4));
        assertTrue(
                e.getMessage()
                        .endsWith("column 'x': expected a multiple of 4 values in each row, the features of the model,"
                                + " found 6"),
                e.getMessage());
    }

    @Test
    void otherFormatsAreRefusedWithTheWayOut() throws IOException {
        String end = ", \"x.arrow\", compression=\"uncompressed\")";
        String start = "expected an Arrow file, found %s; write one with pyarrow.feather.write_feather(";
        assertRefused(
                Path.of("src/test/resources/arrow/stream.arrows"),
                Optional.empty(),
                start.formatted("an Arrow stream") + "pyarrow.ipc.open_stream(\"x.arrows\").read_all()" + end);
        Path parquet = Files.writeString(folder.resolve("x.parquet"), "PAR1 and more and PAR1");
        assertTrue(ArrowSignature.recognizes(parquet));
        assertRefused(
                parquet,
                Optional.empty(),
                start.formatted("Parquet") + "pyarrow.parquet.read_table(\"x.parquet\")" + end);
        Path feather = Files.writeString(folder.resolve("x.feather"), "FEA1 and more and FEA1");
        assertRefused(
                feather,
                Optional.empty(),
                start.formatted("Feather version 1") + "pyarrow.feather.read_table(\"x.feather\")" + end);
        Path text = Files.writeString(folder.resolve("x.txt"), "ARROW");
        assertFalse(ArrowSignature.recognizes(text));
    }

    @Test
    void compressedFilesAreRefusedWithTheWayOut() {
        assertRefused(
                "compressed",
                "expected no compression, found LZ4_FRAME; write it with compression=\"uncompressed\" (Feather) or"
                        + " compression=None (pyarrow.ipc.IpcWriteOptions)");
    }

    @Test
    void anEmptyFileIsNoneOfThem() throws IOException {
        Path empty = Files.write(folder.resolve("x.arrow"), new byte[0]);
        assertFalse(ArrowSignature.recognizes(empty));
        Path start = Files.write(folder.resolve("y.arrow"), "ARROW1\0\0".getBytes(StandardCharsets.ISO_8859_1));
        assertRefused(start, Optional.empty(), "truncated: expected ARROW1 at the end, which isn't there");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"flat", "nested", "list", "list_of_fixed", "list_of_lists", "null_row", "null_value", "odd_lists"
            })
    void damagedFilesAreReadOrRefused(String name) throws IOException {
        String given = System.getProperty("cellfuse.seed", "");
        long seed = given.isBlank() ? new Random().nextInt(1_000_000) : Long.parseLong(given.strip());
        Random random = new Random(seed);
        byte[] good = Files.readAllBytes(file(name));
        int refused = 0;
        for (int round = 0; round < 400; round++) {
            Path damaged = Files.write(folder.resolve(round + ".arrow"), Damage.of(good, random));
            try (ArrowSequences column = ArrowSequences.open(damaged, Optional.empty(), FEATURES)) {
                long[] shape = column.shape();
                long rows = Math.min(100, shape[0]);
                long count = Math.min(10_000, rows * shape[1] * shape[2]);
                column.read(0, FloatBuffer.allocate((int) count));
                if (shape[1] <= Integer.MAX_VALUE) {
                    column.readLengths(0, (int) rows);
                }
            } catch (InvalidInputException e) {
                refused++;
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
                assertTrue(e.getMessage().contains(damaged.toString()), e.getMessage());
            } catch (Throwable e) {
                throw new AssertionError(name + ", round " + round + ": repeat it with -Dcellfuse.seed=" + seed, e);
            }
            Files.delete(damaged);
        }
        assertTrue(refused > 50, "refused only " + refused + " of 400, seed " + seed);
    }
}
