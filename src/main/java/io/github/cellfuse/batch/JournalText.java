package io.github.cellfuse.batch;

import io.github.cellfuse.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The lines of a {@link Journal}:
 *
 * <pre>
 * cellfuse-journal-1 2 CRC          the format, and the number of facts that follow
 * model 5d41402abc4b2a76 CRC        a fact: its name and its value
 * layout NTC CRC
 * rows 0 512 89abcdef CRC           finished rows: the first, how many, the checksum of their results
 * rows 512 512 01234567 CRC
 * </pre>
 *
 * <p>CRC is the CRC-32C of the line's bytes before the space in front of it, as 8 hexadecimal digits. The text is
 * UTF-8. In a fact, a backslash, control characters and half surrogate pairs are written as <code>&#92;uXXXX</code>,
 * and so is a space in its name.
 *
 * @param facts by name; null if the header isn't complete
 * @param end the number of bytes that hold whole lines
 */
record JournalText(Path path, Map<String, String> facts, List<Journal.Entry> entries, int end) {
    private static final String MAGIC = "cellfuse-journal-";
    private static final String VERSION = "1";
    private static final int CRC_DIGITS = 8;

    /** What a disk writes at once, at least. */
    private static final int SECTOR = 512;

    private static final Pattern ROWS =
            Pattern.compile("rows (0|[1-9][0-9]{0,18}) ([1-9][0-9]{0,9}) ([0-9a-f]{" + CRC_DIGITS + "})");
    private static final Pattern FIRST = Pattern.compile(MAGIC + VERSION + " (0|[1-9][0-9]{0,5})");
    private static final Pattern OTHER_VERSION = Pattern.compile("(" + MAGIC + "[0-9]{1,9})[ \n].*", Pattern.DOTALL);
    private static final Pattern ZEROS = Pattern.compile("\0+$");
    private static final Pattern ESCAPE = Pattern.compile("\\\\u([0-9a-f]{4})");

    /** Returns whether a run has begun: without a complete header, nothing was ever finished. */
    boolean isComplete() {
        return facts != null;
    }

    /** Returns the lines before the entries. */
    static String header(Map<String, String> identity) {
        if (identity.containsKey("")) {
            throw new IllegalArgumentException("expected a name for each fact, found none for " + identity.get(""));
        }
        StringBuilder text = new StringBuilder(line(MAGIC + VERSION + " " + identity.size()));
        identity.forEach((name, value) -> text.append(line(escape(name, true) + " " + escape(value, false))));
        return text.toString();
    }

    static String line(Journal.Entry entry) {
        return line("rows " + entry.firstRow() + " " + entry.rows() + " "
                + HexFormat.of().toHexDigits(entry.checksum()));
    }

    private static String line(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return text + " " + crc(bytes, 0, bytes.length) + "\n";
    }

    private static String crc(byte[] bytes, int from, int to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, to - from);
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }

    /**
     * Parses a journal. Lines at its end that were cut off are dropped: a disk that loses its power may also leave
     * zeros where blocks weren't written, and have written later ones. What was appended durably is whole.
     *
     * @param size how many of {@code bytes} there are
     * @throws InvalidInputException when it is no journal, of another version, or damaged
     */
    static JournalText parse(Path path, byte[] bytes, int size) {
        checkFormat(path, bytes, size);
        Map<String, String> facts = new LinkedHashMap<>();
        List<Journal.Entry> entries = new ArrayList<>();
        int expected = 0, number = 0, start = 0;
        while (start < size) {
            int next = next(bytes, start, size);
            Optional<String> text = read(bytes, start, next);
            if (text.isEmpty()) {
                checkTail(path, number + 1, bytes, start, size, number > expected);
                break;
            }
            if (number == 0) {
                Matcher first = FIRST.matcher(text.get());
                check(path, 1, first.matches(), MAGIC + VERSION + " and a number of facts");
                expected = Integer.parseInt(first.group(1));
            } else if (number <= expected) {
                int space = text.get().indexOf(' ');
                check(path, number + 1, space > 0, "a name and a value");
                facts.put(
                        unescape(text.get().substring(0, space)),
                        unescape(text.get().substring(space + 1)));
            } else {
                Optional<Journal.Entry> entry = entry(text.get());
                check(path, number + 1, entry.isPresent(), "finished rows");
                entries.add(entry.orElseThrow());
            }
            number++;
            start = next;
        }
        return new JournalText(path, number > expected ? facts : null, entries, start);
    }

    /** Refuses what doesn't begin like a journal of this version, as far as it goes. */
    private static void checkFormat(Path path, byte[] bytes, int size) {
        String begin = new String(bytes, 0, Math.min(size, SECTOR), StandardCharsets.ISO_8859_1);
        // Zeros at the end: the first block was cut off, or never written.
        if (!begin.startsWith(MAGIC) && !MAGIC.startsWith(ZEROS.matcher(begin).replaceFirst(""))) {
            throw invalid(path, "expected a journal, which begins with " + MAGIC + VERSION + ", found another file");
        }
        Matcher other = OTHER_VERSION.matcher(begin);
        if (other.matches() && !other.group(1).equals(MAGIC + VERSION)) {
            throw invalid(
                    path,
                    "format: expected " + MAGIC + VERSION + ", found " + other.group(1)
                            + "; continue with the version of CellFuse that began");
        }
    }

    private static int next(byte[] bytes, int start, int size) {
        for (int k = start; k < size; k++) {
            if (bytes[k] == '\n') {
                return k + 1;
            }
        }
        return size;
    }

    /** Returns the text of a line from {@code start} to {@code next}, if it is whole. */
    private static Optional<String> read(byte[] bytes, int start, int next) {
        int digits = next - 1 - CRC_DIGITS;
        if (bytes[next - 1] != '\n' || digits - 1 <= start || bytes[digits - 1] != ' ') {
            return Optional.empty();
        }
        String found = new String(bytes, digits, CRC_DIGITS, StandardCharsets.ISO_8859_1);
        return found.equals(crc(bytes, start, digits - 1))
                ? Optional.of(new String(bytes, start, digits - 1 - start, StandardCharsets.UTF_8))
                : Optional.empty();
    }

    /**
     * Refuses a damaged line from {@code start} on that isn't the end. Entries with zeros in them were never written,
     * whatever follows. In the header there can't be any if entries follow, as it was durable before.
     */
    private static void checkTail(Path path, int line, byte[] bytes, int start, int size, boolean isEntry) {
        int next = next(bytes, start, size);
        for (int k = start; k < next && isEntry; k++) {
            if (bytes[k] == 0) {
                return;
            }
        }
        for (int at = next; at < size; at = next(bytes, at, size)) {
            if (read(bytes, at, next(bytes, at, size))
                    .flatMap(JournalText::entry)
                    .isPresent()) {
                throw invalid(path, "line " + line + " is damaged: its checksum doesn't match");
            }
        }
    }

    private static Optional<Journal.Entry> entry(String text) {
        Matcher rows = ROWS.matcher(text);
        if (!rows.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Journal.Entry(
                    Long.parseLong(rows.group(1)),
                    Integer.parseInt(rows.group(2)),
                    HexFormat.fromHexDigits(rows.group(3))));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static void check(Path path, int line, boolean isAsExpected, String what) {
        if (!isAsExpected) {
            throw invalid(path, "line " + line + ": expected " + what + ", found something else");
        }
    }

    /** Refuses a journal of another run, by the first fact that differs. */
    void check(Map<String, String> identity) {
        identity.forEach((name, value) -> {
            if (!value.equals(facts.get(name))) {
                throw differs(
                        name, escape(value, false), facts.containsKey(name) ? escape(facts.get(name), false) : "none");
            }
        });
        facts.forEach((name, value) -> {
            if (!identity.containsKey(name)) {
                throw differs(name, "none", escape(value, false));
            }
        });
    }

    private InvalidInputException differs(String name, String expected, String found) {
        return invalid(path, escape(name, false) + ": expected " + expected + ", found " + found);
    }

    private static InvalidInputException invalid(Path path, String what) {
        return new InvalidInputException(path + ": " + what);
    }

    /** Returns a text without line breaks and without what UTF-8 can't hold. */
    private static String escape(String text, boolean isName) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean isHalf = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
            if (c == '\\' || Character.isISOControl(c) || isHalf || isName && c == ' ') {
                out.append("\\u").append(HexFormat.of().toHexDigits((char) c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder(text.length());
        Matcher escape = ESCAPE.matcher(text);
        int done = 0;
        while (escape.find()) {
            out.append(text, done, escape.start()).append((char) HexFormat.fromHexDigits(escape.group(1)));
            done = escape.end();
        }
        return out.append(text, done, text.length()).toString();
    }
}
