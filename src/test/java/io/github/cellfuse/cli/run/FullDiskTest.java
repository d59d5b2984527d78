package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.batch.Journal;
import io.github.cellfuse.cli.run.RunOutputTest.Case;
import io.github.cellfuse.format.file.ArrayRegion;
import io.github.cellfuse.format.file.ElementType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that gets full. It is a small one in memory, in a name space of its own, which Linux gives to any user. */
class FullDiskTest {
    private static final String NO_SPACE = "No space left on device";

    @TempDir
    Path folder;

    @Test
    void namesTheFileAndTheReason() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "this system has no " + full);
        try (FileChannel channel = FileChannel.open(full, StandardOpenOption.WRITE)) {
            ArrayRegion region = new ArrayRegion("y.npy", channel, 0, ElementType.FLOAT32, 4);
            String message = assertThrows(CellFuseException.class, () -> region.write(0, FloatBuffer.allocate(4)))
                    .getMessage();
            assertEquals("y.npy: writing failed: " + NO_SPACE, message);
            assertThrows(CellFuseException.class, region::checkComplete);
        }
    }

    @Test
    void aRunCanBeContinuedWhenThereIsSpace() throws Exception {
        assumeTrue(onSmallDisk("true") == 0, "this system doesn't let a user mount a file system");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        assertEquals(0, onSmallDisk(java, "-Xmx256m", "-cp", classPath, Main.class.getName(), folder.toString()));
    }

    private int onSmallDisk(String... command) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o size=8m none \"$0\" && exec \"$@\"",
                folder.toString()));
        all.addAll(List.of(command));
        Process process;
        try {
            process = new ProcessBuilder(all).inheritIO().start();
        } catch (IOException e) {
            return -1;
        }
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), "it still runs");
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    /** Runs on the small disk. */
    static final class Main {
        private static final Map<String, String> IDENTITY = Map.of("model", "m");

        private Main() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            aJournalThatDoesNotFitKeepsWhatItHad(folder);
            for (String name : List.of("y.npy", "y.npz")) {
                continueAfterAFullDisk(folder, Case.of(RunOutputTest.MODEL, Layout.TIME_MAJOR, 4000, 20, name, 100));
                needsSpaceOnlyForTheRest(
                        folder, Case.of(RunOutputTest.MODEL, Layout.TIME_MAJOR, 1 << 27, 20, name, 10));
            }
        }

        private static void aJournalThatDoesNotFitKeepsWhatItHad(Path folder) throws IOException {
            Path path = folder.resolve("y.npy.journal");
            Path ballast = folder.resolve("ballast");
            Journal.Entry first = new Journal.Entry(0, 1, 0);
            List<Journal.Entry> many = Collections.nCopies(10_000, first);
            try (Journal journal = Journal.create(path, IDENTITY)) {
                journal.append(List.of(first));
                fill(ballast);
                String message = assertThrows(CellFuseException.class, () -> journal.append(many))
                        .getMessage();
                assertEquals(path + ": writing failed: " + NO_SPACE, message);
                Files.delete(ballast);
                // Where a line ends now, nobody knows.
                assertThrows(CellFuseException.class, () -> journal.append(many));
                assertEquals(List.of(first), journal.entries());
            }
            try (Journal journal = Journal.open(path, IDENTITY)) {
                int whole = journal.entries().size();
                assertEquals(Collections.nCopies(whole, first), journal.entries());
                journal.append(many);
                assertEquals(whole + many.size(), journal.entries().size());
                journal.delete();
            }
        }

        private static void continueAfterAFullDisk(Path folder, Case that) throws IOException {
            Path target = folder.resolve(that.name());
            Path partial = folder.resolve(that.name() + ".partial");
            Path ballast = folder.resolve("ballast");
            try (Journal journal = Journal.create(Journal.of(target), IDENTITY);
                    RunOutput sink =
                            RunOutput.resumable(target, false, false, RunOutputTest.arrays(that.shape(), target))) {
                sink.reserve();
                write(that, 0, sink, journal);
                fill(ballast);
                String message = assertThrows(CellFuseException.class, () -> {
                            for (int k = 1; k < that.chunks(); k++) {
                                write(that, k, sink, journal);
                            }
                        })
                        .getMessage();
                assertTrue(message.startsWith(target + ""), message);
                assertTrue(message.endsWith("writing failed: " + NO_SPACE), message);
                assertThrows(CellFuseException.class, sink::commit);
            }
            assertTrue(Files.exists(partial) && !Files.exists(target));
            try (Journal journal = Journal.open(Journal.of(target), IDENTITY);
                    RunOutput sink =
                            RunOutput.resumable(target, false, true, RunOutputTest.arrays(that.shape(), target))) {
                int done = journal.entries().size();
                assertTrue(done >= 1 && done < that.chunks(), done + " chunks");
                for (Journal.Entry entry : journal.entries()) {
                    assertEquals(entry.checksum(), sink.checksum(entry.firstRow(), entry.rows()));
                    sink.markWritten(entry.firstRow(), entry.rows());
                }
                String message =
                        assertThrows(CellFuseException.class, sink::reserve).getMessage();
                assertTrue(message.contains("MiB are free in " + folder), message);
                Files.delete(ballast);
                sink.reserve();
                for (int k = done; k < that.chunks(); k++) {
                    write(that, k, sink, journal);
                }
                sink.commit();
                journal.delete();
            }
            byte[] bytes = Files.readAllBytes(target);
            Files.delete(target);
            Path whole = RunOutputTest.uninterrupted(that, folder);
            assertArrayEquals(Files.readAllBytes(whole), bytes);
            Files.delete(whole);
        }

        private static void write(Case that, int k, RunOutput sink, Journal journal) {
            int checksum = that.write(sink, k);
            sink.force();
            journal.append(List.of(new Journal.Entry(that.firstRow(k), that.rowsOf(k), checksum)));
        }

        private static void fill(Path ballast) throws IOException {
            try (OutputStream out = Files.newOutputStream(ballast)) {
                byte[] page = new byte[4096];
                // A journal's line may still fit: the output must not.
                IOException full = assertThrows(IOException.class, () -> {
                    for (int k = 0; k < 1 << 20; k++) {
                        out.write(page);
                    }
                });
                assertEquals(NO_SPACE, full.getMessage());
            }
        }

        private static void needsSpaceOnlyForTheRest(Path folder, Case that) throws IOException {
            Path target = folder.resolve(that.name());
            try (RunOutput sink =
                    RunOutput.resumable(target, false, false, RunOutputTest.arrays(that.shape(), target))) {
                String message =
                        assertThrows(CellFuseException.class, sink::reserve).getMessage();
                assertTrue(message.startsWith(target + ": needs "), message);
                assertTrue(message.matches(".*[0-9] GiB, [78]\\.[0-9] MiB are free in " + folder + ";.*"), message);
                sink.markWritten(10, (1 << 27) - 10);
                sink.reserve();
                assertTrue(Files.size(folder.resolve(that.name() + ".partial")) > 59L << 30);
                sink.delete();
            }
            try (var left = Files.list(folder)) {
                assertFalse(left.findAny().isPresent(), "everything is deleted");
            }
        }
    }
}
