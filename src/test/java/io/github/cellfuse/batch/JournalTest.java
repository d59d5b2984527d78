package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.batch.Journal.Entry;
import io.github.cellfuse.cl.ChildJvm;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    /** The checksums are those of another implementation. */
    private static final String TEXT = """
            cellfuse-journal-1 2 c6e24b42
            model 5d41402a 604406c7
            layout\\u0020of\\u0020x N\\u000aTC \u00e9 fdf1e1b0
            rows 0 512 89abcdef ea4e7d46
            rows 512 1 00000001 404ffdfd
            """;

    private static final Map<String, String> IDENTITY = identity("model", "5d41402a", "layout of x", "N\nTC \u00e9");
    private static final List<Entry> ENTRIES = List.of(new Entry(0, 512, 0x89abcdef), new Entry(512, 1, 1));

    /** Where the entries begin. */
    private static final int HEADER = bytes(TEXT.substring(0, TEXT.indexOf("rows"))).length;

    @TempDir
    Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = Journal.of(folder.resolve("y.npy"));
        assertEquals(folder.resolve("y.npy.journal"), path);
    }

    private static Map<String, String> identity(String... facts) {
        Map<String, String> identity = new LinkedHashMap<>();
        for (int k = 0; k < facts.length; k += 2) {
            identity.put(facts[k], facts[k + 1]);
        }
        return identity;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private List<Entry> entries() {
        try (Journal journal = Journal.open(path, IDENTITY)) {
            return journal.entries();
        }
    }

    private void assertRefused(Executable action, String... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        assertTrue(message.startsWith(path.toString()), message);
        assertFalse(message.contains("\n"), message);
        for (String part : parts) {
            assertTrue(message.contains(part), "expected '" + part + "' in: " + message);
        }
    }

    @Test
    void writesTheDocumentedText() throws IOException {
        try (Journal journal = Journal.create(path, IDENTITY)) {
            assertEquals(List.of(), journal.entries());
            journal.append(ENTRIES);
            assertEquals(ENTRIES, journal.entries());
        }
        assertEquals(TEXT, Files.readString(path));
        assertEquals(ENTRIES, entries());
        assertEquals(TEXT, Files.readString(path));
    }

    @Test
    void keepsAnyFactsAndEntries() {
        Map<String, String> odd = identity(
                "a",
                "",
                "\\u0041",
                "\\u0041\\",
                "\r\n\t\0",
                "\ud83d\ude00 \ud83d",
                "\u00e9 b ",
                "  two  ",
                "rows",
                "0 1 2");
        List<Entry> entries = List.of(
                new Entry(Long.MAX_VALUE - Integer.MAX_VALUE, Integer.MAX_VALUE, -1),
                new Entry(7, 5, Integer.MIN_VALUE),
                new Entry(8, 1, 0),
                new Entry(7, 5, Integer.MIN_VALUE));
        try (Journal journal = Journal.create(path, odd)) {
            entries.forEach(entry -> journal.append(List.of(entry)));
            journal.append(List.of());
        }
        try (Journal journal = Journal.open(path, odd)) {
            assertEquals(entries, journal.entries());
        }
        assertThrows(IllegalArgumentException.class, () -> new Entry(-1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Entry(0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Entry(Long.MAX_VALUE, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> Journal.create(folder.resolve("j"), Map.of("", "x")));
    }

    /** Wrong rows are taken out of the file, and the journal goes on. */
    @Test
    void takesEntriesBack() throws IOException {
        List<Entry> entries =
                List.of(new Entry(0, 10, 1), new Entry(20, 10, 2), new Entry(10, 10, 3), new Entry(30, 5, 4));
        List<Entry> left = new ArrayList<>(List.of(entries.get(0), entries.get(2)));
        try (Journal journal = Journal.create(path, IDENTITY)) {
            journal.append(entries);
            String before = Files.readString(path);
            journal.revoke(List.of());
            journal.revoke(List.of(new Rows(35, 100)));
            assertEquals(before, Files.readString(path));
            journal.revoke(List.of(new Rows(34, 1), new Rows(29, 1)));
            assertEquals(left, journal.entries());
            assertEquals(left, entriesOf(path));
            left.add(new Entry(20, 3, 5));
            journal.append(left.subList(2, 3));
        }
        assertEquals(left, entries());
        try (Journal journal = Journal.open(path, IDENTITY)) {
            journal.revoke(List.of(new Rows(0, 100)));
        }
        assertEquals(List.of(), entries());
        assertEquals(HEADER, Files.size(path));
    }

    private static List<Entry> entriesOf(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        return JournalText.parse(file, bytes, bytes.length).entries();
    }

    @Test
    void aClosedJournalTakesNothingBack() {
        Journal journal = Journal.create(path, IDENTITY);
        journal.append(ENTRIES);
        journal.close();
        assertThrows(CellFuseException.class, () -> journal.revoke(List.of(new Rows(0, 1))));
        assertEquals(ENTRIES, entries());
    }

    /** However short a journal is cut, its whole lines count, and it can go on. */
    @Test
    void dropsALineThatWasCutOff() throws IOException {
        byte[] all = bytes(TEXT);
        int second = bytes(TEXT.substring(0, TEXT.lastIndexOf("rows"))).length;
        Entry more = new Entry(600, 3, 77);
        for (int size = 0; size <= all.length; size++) {
            List<Entry> expected =
                    new ArrayList<>(size == all.length ? ENTRIES : ENTRIES.subList(0, size < second ? 0 : 1));
            for (int length : new int[] {size, all.length, 4096}) {
                // Blocks that were never written are zeros.
                Files.write(path, Arrays.copyOf(Arrays.copyOf(all, size), Math.max(size, length)));
                try (Journal journal = Journal.open(path, IDENTITY)) {
                    assertEquals(expected, journal.entries(), "cut to " + size + " of " + length);
                    journal.append(List.of(more));
                }
                List<Entry> continued = new ArrayList<>(expected);
                continued.add(more);
                assertEquals(continued, entries(), "cut to " + size + " of " + length);
            }
        }
    }

    @Test
    void dropsEntriesAfterABlockThatWasNeverWritten() throws IOException {
        List<Entry> many =
                LongStream.range(0, 100).mapToObj(k -> new Entry(k, 1, (int) k)).toList();
        try (Journal journal = Journal.create(path, IDENTITY)) {
            journal.append(many);
        }
        byte[] all = Files.readAllBytes(path);
        Arrays.fill(all, 512, 1024, (byte) 0);
        Files.write(path, all);
        List<Entry> left = entries();
        assertTrue(left.size() > 5 && left.size() < 50, left.toString());
        assertEquals(many.subList(0, left.size()), left);
    }

    /** A flipped bit is found, or costs the entries from there on: none is ever misread, no fact overlooked. */
    @Test
    void findsEveryFlippedBit() throws IOException {
        byte[] all = bytes(TEXT);
        int second = bytes(TEXT.substring(0, TEXT.lastIndexOf("rows"))).length;
        for (int bit = 0; bit < 8 * all.length; bit++) {
            byte[] flipped = all.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(path, flipped);
            boolean isHeader = bit / 8 < HEADER;
            boolean isZero = flipped[bit / 8] == 0;
            if (isHeader || bit / 8 < second && !isZero) {
                // The end of the last line of the first entry: both entries are one line then, which is the last.
                if (!isHeader && all[bit / 8] == '\n') {
                    assertEquals(List.of(), entries(), "bit " + bit);
                } else {
                    assertRefused(this::entries);
                }
            } else {
                assertEquals(ENTRIES.subList(0, bit / 8 < second ? 0 : 1), entries(), "bit " + bit);
            }
        }
    }

    @Test
    void namesTheDamagedLine() throws IOException {
        Files.write(path, bytes(TEXT.replace("rows 0 512", "rows 0 513")));
        assertRefused(this::entries, "line 4", "damaged");
        Files.write(path, bytes(TEXT.replace("5d41402a", "5d41402b")));
        assertRefused(this::entries, "line 2", "damaged");
        // Its checksum is right, but the line isn't an entry.
        Files.write(path, bytes(TEXT + "model 5d41402a 604406c7\n"));
        assertRefused(this::entries, "line 6", "finished rows");
    }

    @Test
    void namesTheFirstFactThatDiffers() throws IOException {
        Files.write(path, bytes(TEXT));
        assertRefused(
                () -> Journal.open(path, identity("model", "0", "layout of x", "TNC")),
                "y.npy.journal: model: expected 0, found 5d41402a");
        assertRefused(
                () -> Journal.open(path, identity("layout of x", "TNC", "model", "0")),
                "layout of x: expected TNC, found N\\u000aTC \u00e9");
        assertRefused(
                () -> Journal.open(path, identity("weights", "f32", "model", "5d41402a")),
                "weights: expected f32, found none");
        assertRefused(() -> Journal.open(path, identity("model", "5d41402a")), "layout of x: expected none, found N");
        assertEquals(TEXT, Files.readString(path));
    }

    @Test
    void refusesWhatIsNoJournal() throws IOException {
        assertRefused(this::entries, "no such file");
        for (String other : List.of("PK", "{}\n", "cellfuse-journals\n", "cellfuse 0.1\nx\ny\n")) {
            Files.writeString(path, other);
            assertRefused(this::entries, "expected a journal", "found another file");
            assertRefused(() -> Journal.create(path, IDENTITY), "found another file");
            assertEquals(other, Files.readString(path));
        }
        Files.writeString(path, TEXT.replace("journal-1", "journal-2"));
        assertRefused(this::entries, "expected cellfuse-journal-1, found cellfuse-journal-2");
        Files.writeString(path, "cellfuse-journal-13\nanything");
        assertRefused(this::entries, "found cellfuse-journal-13");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(1L << 30);
        }
        assertRefused(this::entries, "1073741824 bytes");
        Files.delete(path);
        Files.createDirectory(path);
        assertRefused(this::entries, "a folder");
        Files.delete(path);
        Path other = Files.writeString(folder.resolve("other"), TEXT);
        Files.createSymbolicLink(path, other);
        assertRefused(this::entries, "a link");
        assertRefused(() -> Journal.create(path, IDENTITY, true), "a link");
        assertEquals(TEXT, Files.readString(other));
        Path nowhere = folder.resolve("none").resolve("y.npy.journal");
        String message = assertThrows(InvalidInputException.class, () -> Journal.create(nowhere, IDENTITY))
                .getMessage();
        assertTrue(message.contains("folder doesn't exist"), message);
    }

    @Test
    void replacesAJournalOnlyWhenAskedOrWhenNothingHadBegun() throws IOException {
        Files.write(path, bytes(TEXT));
        assertRefused(() -> Journal.create(path, IDENTITY), "a journal already");
        assertEquals(TEXT, Files.readString(path));
        try (Journal journal = Journal.create(path, identity("model", "other"), true)) {
            assertEquals(List.of(), journal.entries());
        }
        assertRefused(this::entries, "model: expected 5d41402a, found other");
        Files.write(path, Arrays.copyOf(bytes(TEXT), HEADER - 1));
        Journal.create(path, IDENTITY).close();
        assertEquals(TEXT.substring(0, TEXT.indexOf("rows")), Files.readString(path));
    }

    @Test
    void closingKeepsItAndDeletingDoesNot() {
        Journal journal = Journal.create(path, IDENTITY);
        journal.append(ENTRIES);
        journal.close();
        journal.close();
        journal.delete();
        assertThrows(CellFuseException.class, () -> journal.append(ENTRIES));
        Journal again = Journal.open(path, IDENTITY);
        assertEquals(ENTRIES, again.entries());
        again.delete();
        again.delete();
        assertFalse(Files.exists(path));
    }

    @Test
    void findsTheOutputBehindALink() throws IOException {
        Path real = Files.createFile(
                Files.createDirectory(folder.resolve("elsewhere")).resolve("real.npy"));
        Path link = Files.createSymbolicLink(folder.resolve("link.npy"), real);
        assertEquals(real.toRealPath().resolveSibling("real.npy.journal"), Journal.of(link));
    }

    @Test
    void isWrittenByOneAtATime() throws Exception {
        try (Journal journal = Journal.create(path, IDENTITY)) {
            assertRefused(() -> Journal.open(path, IDENTITY), "writing it already");
            assertRefused(() -> Journal.create(path, IDENTITY, true), "writing it already");
            // The refusals haven't unlocked it: they would have, by closing a second channel of the file.
            assertEquals(path + ": another process is writing it", openElsewhere());
            journal.append(ENTRIES);
        }
        assertEquals(ENTRIES.toString(), openElsewhere());
        assertEquals(ENTRIES, entries());
    }

    private String openElsewhere() throws IOException, InterruptedException {
        ChildJvm.Result result = ChildJvm.start(
                        Map.of(), List.of("-Dfile.encoding=UTF-8"), Other.class, path.toString())
                .await(60);
        assertEquals(0, result.exit(), result.err());
        return result.out().strip();
    }

    /** Another process, which opens the journal. */
    static final class Other {
        private Other() {}

        public static void main(String[] arguments) {
            try (Journal journal = Journal.open(Path.of(arguments[0]), IDENTITY)) {
                System.out.println(journal.entries());
            } catch (InvalidInputException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
