package io.github.cellfuse.format;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.ZipArchive;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a file begins.
 *
 * @param path the file
 * @param bytes its first bytes
 * @param entries the names in it, if it is a zip archive
 */
record FileStart(Path path, byte[] bytes, List<String> entries) {
    private static final int LENGTH = 512;

    /** The most bytes of a header that the readers of safetensors accept. */
    private static final long LONGEST_HEADER = 100_000_000;

    /** Where the archive's format (tar) has its signature. */
    private static final int TAR_SIGNATURE = 257;

    private static final String ZIP_SIGNATURE = "PK\3\4";

    /** Returns the start of a file; that of an empty one if the file can't be read. */
    static FileStart of(Path path) {
        byte[] bytes = new byte[0];
        if (Files.isRegularFile(path)) {
            try (InputStream in = Files.newInputStream(path)) {
                bytes = in.readNBytes(LENGTH);
            } catch (IOException e) {
                // The reader of the file's format reports it.
            }
        }
        FileStart start = new FileStart(path, bytes, List.of());
        return start.has(0, ZIP_SIGNATURE) ? new FileStart(path, bytes, entries(path)) : start;
    }

    private static List<String> entries(Path path) {
        try (ZipArchive archive = ZipArchive.open(path, "a zip archive")) {
            return archive.names();
        } catch (CellFuseException e) {
            return List.of(); // damaged: whoever reads it says so
        }
    }

    /** Returns a byte, or -1 after the end. */
    int at(int index) {
        return index < bytes.length ? Byte.toUnsignedInt(bytes[index]) : -1;
    }

    /** Returns whether these characters, a byte each, are at a place. */
    boolean has(int offset, String text) {
        return latin().startsWith(text, offset);
    }

    /** Returns the bytes as characters. */
    String latin() {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** A header's length can look like any signature, but its upper bytes are zeros and the header is JSON. */
    boolean isSafetensors() {
        if (at(Long.BYTES) != '{') {
            return false;
        }
        long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return header > 0 && header <= LONGEST_HEADER;
    }

    /** Returns the beginning of a text without what may come before it; empty if the bytes aren't UTF-8. */
    Optional<String> text() {
        CharBuffer text = CharBuffer.allocate(bytes.length);
        // The last character may be cut.
        boolean isUtf8 = !StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes), text, false)
                .isError();
        String read = text.flip().toString();
        boolean isText = isUtf8 && read.chars().noneMatch(c -> Character.isISOControl(c) && !Character.isWhitespace(c));
        return Optional.of(read.replaceFirst("^\ufeff", "").strip()).filter(rest -> isText && !rest.isEmpty());
    }

    boolean isJson() {
        return text().filter(text -> text.startsWith("{") || text.startsWith("["))
                .isPresent();
    }

    boolean isHtml() {
        return text().map(text -> text.toLowerCase(Locale.ROOT))
                .filter(text -> Stream.of("<!doctype html", "<html", "<?xml", "<head", "<body", "<error>")
                        .anyMatch(text::startsWith))
                .isPresent();
    }

    boolean isTar() {
        return has(TAR_SIGNATURE, "ustar");
    }

    /** Returns whether this is a zip archive with an entry whose name matches. */
    boolean hasEntry(String pattern) {
        return entries.stream().anyMatch(name -> name.matches(pattern));
    }

    /** Returns the first bytes of the first entry whose name matches, if it is stored as it is. */
    Optional<byte[]> entry(String pattern, int mostBytes) {
        Optional<String> name =
                entries.stream().filter(entry -> entry.matches(pattern)).findFirst();
        try (ZipArchive archive = ZipArchive.open(path, "a zip archive")) {
            return name.flatMap(archive::stored).map(region -> first(region, mostBytes));
        } catch (CellFuseException e) {
            return Optional.empty();
        }
    }

    private static byte[] first(FileRegion region, int mostBytes) {
        try (region) {
            return region.bytes(0, (int) Math.min(mostBytes, region.size()));
        }
    }
}
