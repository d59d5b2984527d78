package io.github.cellfuse.format.file;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text in files, such as a report. */
public final class TextFile {
    /** Far longer than any report. Another file may be longer and would not fit in Java's memory. */
    private static final int LARGEST = 64 << 20;

    private TextFile() {}

    /**
     * Reads a text in UTF-8.
     *
     * @throws io.github.cellfuse.InvalidInputException when there is no such file, it can't be opened, isn't UTF-8 or
     *     has more than 64 MiB
     * @throws CellFuseException when the disk fails
     */
    public static String read(Path file) {
        try {
            Problems.checkIsFile(file);
            checkLength(file, Files.size(file));
            try (InputStream in = Files.newInputStream(file)) {
                // Some files, such as those of /proc, are longer than they say.
                byte[] text = in.readNBytes(LARGEST + 1);
                checkLength(file, text.length);
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(text))
                        .toString();
            }
        } catch (CharacterCodingException e) {
            throw Problems.invalid(file, "expected a text in UTF-8, found other bytes", e);
        } catch (IOException e) {
            throw Problems.io(file, "reading", e);
        }
    }

    private static void checkLength(Path file, long bytes) {
        if (bytes > LARGEST) {
            throw Problems.invalid(file, "expected a text of at most " + LARGEST + " bytes, found " + bytes);
        }
    }

    /**
     * Writes {@code text} in UTF-8. The file appears under its name whole or not at all.
     *
     * @param overwrite whether a file of that name may be replaced
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, or its folder
     *     is missing or can't be written
     * @throws CellFuseException when the disk fails
     */
    public static void write(Path target, boolean overwrite, String text) {
        try (AtomicFile file = AtomicFile.create(target, overwrite)) {
            ArrayRegion.write(file.channel(), 0, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            file.commit();
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        }
    }
}
