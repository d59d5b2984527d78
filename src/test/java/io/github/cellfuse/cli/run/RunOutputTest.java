package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.batch.ChunkSource;
import io.github.cellfuse.batch.Journal;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RunOutputTest {
    static final LstmModel MODEL = RandomLstm.model(new Random(1), Direction.BIDIRECTIONAL, 2, 3, 7, true, true);
    private static final LstmModel LAYERS_DIFFER = RandomLstm.general(3).model();

    @TempDir
    Path folder;

    /** The output of a run; the results of a row are the same whatever the chunk. */
    record Case(RunShape shape, String name, int chunk) {
        static Case of(LstmModel model, Layout layout, int rows, int steps, String name, int chunk) {
            return new Case(new RunShape(model, layout, true, rows, steps), name, chunk);
        }

        int chunks() {
            return (int) ((shape.rows() + chunk - 1) / chunk);
        }

        int rowsOf(int k) {
            return (int) Math.min(chunk, shape.rows() - firstRow(k));
        }

        long firstRow(int k) {
            return (long) k * chunk;
        }

        LstmOutput output(int k) {
            Random random = new Random(k);
            int rows = rowsOf(k);
            int size = rows * shape.steps() * shape.model().outputSize();
            return new LstmOutput(
                    shape.layout(),
                    rows,
                    shape.steps(),
                    FloatBuffer.wrap(RandomLstm.values(random, size, 1)),
                    RandomLstm.state(random, shape.model(), rows));
        }

        int write(RunOutput sink, int k) {
            return sink.write(firstRow(k), output(k));
        }
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String name : List.of("y.npy", "y.npz")) {
            for (Layout layout : Layout.values()) {
                for (LstmModel model : List.of(MODEL, LAYERS_DIFFER)) {
                    cases.add(Case.of(model, layout, 1, 1, name, 1));
                    cases.add(Case.of(model, layout, 13, 3, name, 5));
                    cases.add(Case.of(model, layout, 5, 3, name, 1));
                }
                // More than a staging buffer holds.
                cases.add(Case.of(MODEL, layout, 5, 10_000, name, 2));
            }
        }
        return cases.stream();
    }

    /** Returns what a file of this name gets if no array is chosen. */
    static List<RunArray> arrays(RunShape shape, Path target) {
        ChunkSource lengthsAreNotAskedFor = null;
        return RunArray.chosen(shape, lengthsAreNotAskedFor, List.of(), Path.of("model"), target);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void checksumsAreThoseOfTheBytesInTheFile(Case that) throws IOException {
        Path target = folder.resolve(that.name());
        int[] written = new int[that.chunks()];
        try (RunOutput sink = RunOutput.create(target, false, arrays(that.shape(), target))) {
            for (int k = that.chunks() - 1; k >= 0; k--) {
                written[k] = that.write(sink, k);
                assertEquals(written[k], sink.checksum(that.firstRow(k), that.rowsOf(k)), "chunk " + k);
            }
            sink.force();
            sink.commit();
        }
        for (int k = 0; k < that.chunks(); k++) {
            assertEquals(checksum(target, that, k), written[k], "chunk " + k);
        }
    }

    /** Reads the rows of a chunk with the format's readers. */
    private static int checksum(Path file, Case that, int k) {
        CRC32C crc = new CRC32C();
        RunShape shape = that.shape();
        if (that.name().endsWith(".npy")) {
            try (NpyArray y = NpyArray.open(file)) {
                update(crc, y, shape.outputBlocks(), that, k);
            }
            return (int) crc.getValue();
        }
        try (NpzArchive archive = NpzArchive.open(file)) {
            update(crc, archive.array("y"), shape.outputBlocks(), that, k);
            shape.hidden()
                    .forEach(h -> update(crc, archive.array("h_n" + h.suffix()), h.blocks(shape.rows()), that, k));
            shape.cell().forEach(c -> update(crc, archive.array("c_n" + c.suffix()), c.blocks(shape.rows()), that, k));
        }
        return (int) crc.getValue();
    }

    private static void update(CRC32C crc, NpyArray array, RowBlocks blocks, Case that, int k) {
        FloatBuffer values = FloatBuffer.allocate(Math.toIntExact(blocks.outer() * that.rowsOf(k) * blocks.width()));
        blocks.read(array, that.firstRow(k), that.rowsOf(k), values);
        ByteBuffer bytes = ByteBuffer.allocate(values.capacity() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values.clear());
        crc.update(bytes);
    }

    static Path uninterrupted(Case that, Path folder) {
        Path target = folder.resolve("whole-" + that.name());
        try (RunOutput sink = RunOutput.create(target, true, arrays(that.shape(), target))) {
            for (int k = 0; k < that.chunks(); k++) {
                that.write(sink, k);
            }
            sink.commit();
        }
        return target;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aContinuedFileHasTheBytesOfAnUninterruptedOne(Case that) throws IOException {
        Path target = folder.resolve(that.name());
        Path partial = folder.resolve(that.name() + ".partial");
        Path journalFile = Journal.of(target);
        Map<String, String> identity = Map.of("model", "m");
        // Each attempt writes a chunk more, and ends.
        for (int attempt = 0; attempt <= that.chunks(); attempt++) {
            boolean isContinued = attempt > 0;
            try (Journal journal =
                            isContinued ? Journal.open(journalFile, identity) : Journal.create(journalFile, identity);
                    RunOutput sink = RunOutput.resumable(target, false, isContinued, arrays(that.shape(), target))) {
                for (Journal.Entry entry : journal.entries()) {
                    assertEquals(entry.checksum(), sink.checksum(entry.firstRow(), entry.rows()));
                    sink.markWritten(entry.firstRow(), entry.rows());
                }
                sink.reserve();
                assertEquals(attempt, journal.entries().size());
                if (attempt < that.chunks()) {
                    long length = Files.size(partial);
                    int checksum = that.write(sink, attempt);
                    sink.force();
                    journal.append(List.of(new Journal.Entry(that.firstRow(attempt), that.rowsOf(attempt), checksum)));
                    assertEquals(length, Files.size(partial), "its full length from the start");
                } else {
                    sink.commit();
                    journal.delete();
                }
            }
            assertEquals(attempt < that.chunks(), Files.exists(partial));
            assertEquals(attempt == that.chunks(), Files.exists(target));
        }
        assertArrayEquals(Files.readAllBytes(uninterrupted(that, folder)), Files.readAllBytes(target));
        assertFalse(Files.exists(journalFile));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void damageShowsInTheChecksum(Case that) throws IOException {
        Path target = folder.resolve(that.name());
        int written;
        int last = that.chunks() - 1;
        try (RunOutput sink = RunOutput.resumable(target, false, false, arrays(that.shape(), target))) {
            sink.reserve();
            that.write(sink, last);
            written = that.write(sink, 0);
        }
        Path partial = folder.resolve(that.name() + ".partial");
        // The y of the first row begins after the header, which ends with a line break.
        byte[] bytes = Files.readAllBytes(partial);
        int data = 0;
        while (bytes[data] != '\n' || (data + 1) % 64 != 0) {
            data++;
        }
        bytes[data + 1] ^= 1;
        Files.write(partial, bytes);
        try (RunOutput sink = RunOutput.resumable(target, false, true, arrays(that.shape(), target))) {
            assertNotEquals(written, sink.checksum(0, that.rowsOf(0)));
            assertEquals(written, that.write(sink, 0));
            assertEquals(written, sink.checksum(0, that.rowsOf(0)));
        }
        // Cut off, the rest is zeros: as if it had never been written.
        try (RandomAccessFile file = new RandomAccessFile(partial.toFile(), "rw")) {
            file.setLength(data + 2);
        }
        try (RunOutput sink = RunOutput.resumable(target, false, true, arrays(that.shape(), target))) {
            assertNotEquals(written, sink.checksum(0, that.rowsOf(0)));
        }
    }

    @Test
    void isNotCommittedWithHoles() {
        Case that = Case.of(MODEL, Layout.TIME_MAJOR, 10, 3, "y.npz", 2);
        Path target = folder.resolve("y.npz");
        RunOutput sink = RunOutput.resumable(target, false, false, arrays(that.shape(), target));
        sink.reserve();
        sink.markWritten(0, 4);
        that.write(sink, 2);
        sink.markWritten(8, 2);
        assertTrue(
                assertThrows(CellFuseException.class, sink::commit).getMessage().contains("was never written"));
        assertTrue(Files.exists(folder.resolve("y.npz.partial")));
        assertFalse(Files.exists(target));
        assertThrows(CellFuseException.class, sink::force);
        RunOutput again = RunOutput.resumable(target, false, true, arrays(that.shape(), target));
        assertThrows(InvalidInputException.class, () -> again.markWritten(8, 3));
        again.delete();
        again.close();
        assertFalse(Files.exists(folder.resolve("y.npz.partial")));
    }

    @Test
    void beginsFromNothingWhenNothingIsContinued() throws IOException {
        Case that = Case.of(MODEL, Layout.TIME_MAJOR, 10, 3, "y.npy", 2);
        Path target = folder.resolve("y.npy");
        Files.write(folder.resolve("y.npy.partial"), new byte[100_000]);
        try (RunOutput sink = RunOutput.resumable(target, false, false, arrays(that.shape(), target))) {
            assertTrue(Files.size(folder.resolve("y.npy.partial")) < 1000, "nothing is left of the old file");
            sink.reserve();
        }
    }
}
