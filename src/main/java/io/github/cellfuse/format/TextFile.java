package io.github.cellfuse.format;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Text in files, such as a report. */
public final class TextFile {
    private TextFile() {}

    /**
     * Writes {@code text} in UTF-8. The file appears under its name whole or not at all.
     *
     * @param overwrite whether a file of that name may be replaced
     * @throws io.github.cellfuse.InvalidInputException when the target exists and may not be overwritten, or its folder is missing
     *     or can't be written
     * @throws CellFuseException when the disk fails
     */
    public static void write(Path target, boolean overwrite, String text) {
        try (AtomicFile file = AtomicFile.create(target, overwrite)) {
            FloatRegion.write(file.channel(), 0, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            file.commit();
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        }
    }
}
