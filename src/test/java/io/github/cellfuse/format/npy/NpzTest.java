package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.file;
import static io.github.cellfuse.format.npy.FormatFixtures.names;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.ZipFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpzTest {
    /** Every field that can be 64 bits wide is. */
    private static final ZipFormat ALWAYS_ZIP64 = new ZipFormat(0, 0);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"stored", "deflated"})
    void readsWhatNumPyWrites(String name) {
        NpzArchive archive = NpzArchive.open(file(name + ".npz"));
        assertEquals(List.of("y", "lengths", "zeros"), archive.names());
        try (NpyArray y = archive.array("y");
                NpyArray lengths = archive.array("lengths");
                NpyArray zeros = archive.array("zeros")) {
            archive.close();
            assertArrayEquals(new long[] {2, 3, 4}, y.shape());
            assertEquals(23f, y.readAll()[23]);
            assertArrayEquals(new int[] {3, 0, 2}, lengths.readInts(0, 3));
            assertArrayEquals(new float[2000], zeros.readAll());
            assertThrows(CellFuseException.class, () -> archive.array("y"));
        }
    }

    @Test
    void namesTheArraysThatThereAre() {
        try (NpzArchive archive = NpzArchive.open(file("stored.npz"))) {
            assertRefused(() -> archive.array("h"), "stored.npz", "'h'", "'y', 'lengths', 'zeros'");
        }
    }

    private Path write(ZipFormat format, int arrays) {
        Path target = folder.resolve("out.npz");
        try (NpzWriter out = NpzWriter.create(target, true, format)) {
            for (int k = 0; k < arrays; k++) {
                ArraySink sink = out.add("array " + k + " \u00e4", k, 5);
                for (int row = k - 1; row >= 0; row--) {
                    sink.write(row * 5L, FloatBuffer.wrap(new float[] {k, row, 2, 3, 4}));
                }
            }
            out.commit();
        }
        return target;
    }

    @Test
    void writesWhatItReads() throws IOException {
        for (ZipFormat format : List.of(ZipFormat.STANDARD, ALWAYS_ZIP64, new ZipFormat(400, 0xFFFF))) {
            Path target = write(format, 5);
            try (NpzArchive archive = NpzArchive.open(target)) {
                assertEquals(5, archive.names().size());
                for (int k = 0; k < 5; k++) {
                    try (NpyArray array = archive.array("array " + k + " \u00e4")) {
                        assertArrayEquals(new long[] {k, 5}, array.shape());
                        if (k > 0) {
                            assertArrayEquals(
                                    new float[] {k, k - 1, 2, 3, 4},
                                    Arrays.copyOfRange(array.readAll(), 5 * k - 5, 5 * k));
                        }
                    }
                }
            }
            assertEquals(List.of("out.npz"), names(folder));
        }
    }

    @Test
    void writesWhatTheJdkReads() throws IOException {
        for (ZipFormat format : List.of(ZipFormat.STANDARD, ALWAYS_ZIP64)) {
            Path target = write(format, 4);
            try (ZipFile zip = new ZipFile(target.toFile())) {
                assertEquals(4, zip.size());
                for (ZipEntry entry : Collections.list(zip.entries())) {
                    // Read to the end: the JDK compares the checksum there only in ZipInputStream, so compute it.
                    CRC32 crc = new CRC32();
                    try (InputStream in = zip.getInputStream(entry)) {
                        crc.update(in.readAllBytes());
                    }
                    assertEquals(entry.getCrc(), crc.getValue(), entry.getName());
                }
            }
        }
    }

    @Test
    void writesWhatNumPyReads() throws Exception {
        for (ZipFormat format : List.of(ZipFormat.STANDARD, ALWAYS_ZIP64)) {
            Path target = write(format, 3);
            String script = "import sys, numpy as np, zipfile\n"
                    + "assert zipfile.ZipFile(sys.argv[1]).testzip() is None\n"
                    + "a = np.load(sys.argv[1])\n"
                    + "print([(k, a[k].dtype.str, a[k].shape, a[k].tolist()) for k in a.files])";
            assertEquals(
                    "[('array 0 \u00e4', '<f4', (0, 5), []),"
                            + " ('array 1 \u00e4', '<f4', (1, 5), [[1.0, 0.0, 2.0, 3.0, 4.0]]),"
                            + " ('array 2 \u00e4', '<f4', (2, 5), [[2.0, 0.0, 2.0, 3.0, 4.0], [2.0, 1.0,"
                            + " 2.0, 3.0, 4.0]])]",
                    Python.run(script, target));
        }
    }

    @Test
    void alignsTheDataForMapping() throws IOException {
        Path target = write(ZipFormat.STANDARD, 6);
        byte[] bytes = Files.readAllBytes(target);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int found = 0;
        for (int at = text.indexOf("NUMPY"); at >= 0; at = text.indexOf("NUMPY", at + 1)) {
            assertEquals(1, at % 64);
            found++;
        }
        assertEquals(6, found);
    }

    @Test
    void leavesNothingBehindWithoutCommit() throws IOException {
        NpzWriter out = NpzWriter.create(folder.resolve("out.npz"), false);
        ArraySink y = out.add("y", 2);
        y.write(0, FloatBuffer.allocate(1));
        assertTrue(
                assertThrows(CellFuseException.class, out::commit).getMessage().contains("'y'"));
        assertEquals(List.of(), names(folder));
        assertThrows(CellFuseException.class, () -> y.write(0, FloatBuffer.allocate(1)));
        assertThrows(CellFuseException.class, out::commit);
        out.close();
    }

    @Test
    void writesAnEmptyArchive() throws IOException {
        Path target = write(ZipFormat.STANDARD, 0);
        try (NpzArchive archive = NpzArchive.open(target)) {
            assertEquals(List.of(), archive.names());
        }
    }

    @Test
    void refusesNamesThatAreTakenOrPaths() {
        try (NpzWriter out = NpzWriter.create(folder.resolve("out.npz"), false)) {
            out.add("y", 1);
            assertRefused(() -> out.add("y", 1), "'y'", "already");
            assertRefused(() -> out.add("a/b", 1), "a/b", "path");
            assertRefused(() -> out.add("", 1), "'.npy'");
            assertRefused(() -> out.add("z", 1L << 61), "'z'", "overflows");
            assertRefused(() -> out.add("z".repeat(30_000), 1), "at most");
            assertRefused(() -> out.add("z", -1), "-1");
        }
    }

    private Path zip(String... names) throws IOException {
        Path target = folder.resolve("made.npz");
        byte[] content = Files.readAllBytes(file("cube.npy"));
        try (OutputStream file = Files.newOutputStream(target);
                ZipOutputStream zip = new ZipOutputStream(file)) {
            for (String name : names) {
                zip.putNextEntry(new ZipEntry(name));
                zip.write(content);
            }
        }
        return target;
    }

    @Test
    void readsStreamedArchives() throws IOException {
        try (NpzArchive archive = NpzArchive.open(zip("a.npy", "b.npy"));
                NpyArray b = archive.array("b")) {
            assertEquals(23f, b.readAll()[23]);
        }
    }

    @Test
    void takesTheArraysOutOfWhateverElseThereIs() throws IOException {
        Path mixed =
                zip("data/", "data/x.npy", "readme.txt", ".DS_Store", "__MACOSX/data/._x.npy", "._x.npy", "a\\b.npy");
        try (NpzArchive archive = NpzArchive.open(mixed)) {
            // What begins as an array is one: all of these have the same content.
            assertEquals(List.of("data/x", "readme.txt", ".DS_Store", "a\\b"), archive.names());
            for (String name : List.of("data/x", "data/x.npy", "readme.txt", "a\\b", "._x.npy")) {
                try (NpyArray array = archive.array(name)) {
                    assertEquals(23f, array.readAll()[23], name);
                }
            }
            assertRefused(() -> archive.array("x"), "'x'", "'data/x'");
        }
        Path notes = folder.resolve("notes.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(notes))) {
            for (String name : List.of("x.npy", "readme.txt", ".DS_Store", "empty")) {
                zip.putNextEntry(new ZipEntry(name));
                zip.write(
                        name.equals("x.npy")
                                ? Files.readAllBytes(file("cube.npy"))
                                : name.substring(5).getBytes());
            }
        }
        try (NpzArchive archive = NpzArchive.open(notes)) {
            assertEquals(List.of("x"), archive.names());
            assertRefused(() -> archive.array("readme.txt"), "[readme.txt]", "not a NumPy file");
        }
    }

    @Test
    void refusesOtherArchives() throws IOException {
        assertRefused(() -> NpzArchive.open(file("cube.npy")), "not a .npz file");
        assertRefused(() -> NpzArchive.open(folder.resolve("none.npz")), "no such file");
        assertRefused(() -> NpzArchive.open(Files.write(folder.resolve("empty"), new byte[0])), "not a .npz file");
    }

    @Test
    void refusesDamagedArchives() throws IOException {
        byte[] good = Files.readAllBytes(zip("aa.npy", "bb.npy"));
        assertRefused(() -> open(Arrays.copyOf(good, good.length - 1)), "truncated");
        assertRefused(() -> open(Arrays.copyOf(good, good.length / 2)), "truncated");
        assertRefused(() -> open(Arrays.copyOf(good, good.length + 1)), "truncated");
        try (NpzArchive archive = open(replaced(good, "bb.npy", "aa.npy"))) {
            assertRefused(() -> archive.array("aa"), "'aa.npy'", "twice");
        }
        byte[] shorter = new byte[good.length - 10];
        System.arraycopy(good, 0, shorter, 0, 10);
        System.arraycopy(good, 20, shorter, 10, good.length - 20);
        assertRefused(() -> open(shorter), "central directory");
        byte[] flipped = good.clone();
        flipped[60] ^= 0x10;
        try (NpzArchive archive = open(flipped)) {
            assertRefused(() -> archive.array("aa"), "[aa.npy]");
        }
        byte[] encrypted = good.clone();
        encrypted[new String(good, StandardCharsets.ISO_8859_1).indexOf("PK\1\2") + 8] |= 1;
        assertOnlyRefused(encrypted, "encrypted");
        byte[] method = good.clone();
        method[new String(good, StandardCharsets.ISO_8859_1).indexOf("PK\1\2") + 10] = 12;
        assertOnlyRefused(method, "found 12");
    }

    /** The entry aa is refused, and bb is read. */
    private void assertOnlyRefused(byte[] bytes, String reason) throws IOException {
        try (NpzArchive archive = open(bytes);
                NpyArray other = archive.array("bb")) {
            assertRefused(() -> archive.array("aa"), "'aa.npy'", reason);
            assertEquals(23f, other.readAll()[23]);
        }
    }

    private NpzArchive open(byte[] bytes) throws IOException {
        return NpzArchive.open(Files.write(Files.createTempFile(folder, "damaged", ".npz"), bytes));
    }

    private static byte[] replaced(byte[] bytes, String from, String to) {
        Charset latin1 = StandardCharsets.ISO_8859_1;
        return new String(bytes, latin1).replace(from, to).getBytes(latin1);
    }

    @Test
    void leavesNoInflatedFileBehind() throws IOException {
        String before = System.setProperty("java.io.tmpdir", folder.toString());
        try (NpzArchive archive = NpzArchive.open(file("deflated.npz"));
                NpyArray y = archive.array("y")) {
            assertEquals(24, y.elementCount());
        } finally {
            System.setProperty("java.io.tmpdir", before);
        }
        assertEquals(List.of(), names(folder));
    }

    /** The temporary folder is often shared, and the data may be private. The watcher sees the file while it exists. */
    @Test
    @DisabledOnOs(OS.WINDOWS) // it has no modes
    void onlyTheUserMayReadAnInflatedFile() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Set<String> modes = ConcurrentHashMap.newKeySet();
        AtomicBoolean done = new AtomicBoolean();
        Thread watcher = new Thread(() -> {
            while (!done.get()) {
                try (Stream<Path> files = Files.list(temporary)) {
                    for (Path file : files.toList()) {
                        modes.add(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
                    }
                } catch (IOException | UncheckedIOException deletedMeanwhile) {
                    // The next look may come in time.
                }
            }
        });
        watcher.start();
        String before = System.setProperty("java.io.tmpdir", temporary.toString());
        try (NpzArchive archive = NpzArchive.open(file("deflated.npz"))) {
            for (int k = 0; k < 100_000 && modes.isEmpty(); k++) {
                archive.array("y").close();
            }
        } finally {
            System.setProperty("java.io.tmpdir", before);
            done.set(true);
            watcher.join();
        }
        assertEquals(Set.of("rw-------"), modes);
    }

    @Test
    void reachesPastFourGibibytes() throws IOException {
        Path target = folder.resolve("huge.npz");
        long count = 1_100_000_000;
        try (NpzWriter out = NpzWriter.create(target, false)) {
            out.add("huge", count).write(count - 1, FloatBuffer.wrap(new float[] {7}));
            ArraySink small = out.add("small", 1);
            small.write(0, FloatBuffer.wrap(new float[] {8}));
            // Committing would read 4 GiB for the checksum; that the second array begins past them is enough here.
            Path temporary = folder.resolve(names(folder).get(0));
            long size = Files.size(temporary);
            assertTrue(size > 4 * count && size % 64 == 4, "size " + size);
            try (MappedFile mapped = MappedFile.open(temporary)) {
                assertEquals(Float.floatToIntBits(8), mapped.copy(size - 4, 4).getInt());
            }
        }
        assertEquals(List.of(), names(folder));
    }
}
