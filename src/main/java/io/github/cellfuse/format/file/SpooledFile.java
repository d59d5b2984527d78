package io.github.cellfuse.format.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** Temporary files in the folder {@code java.io.tmpdir} for what isn't in a file yet, or can't be. */
public final class SpooledFile {
    private static final int BUFFER = 1 << 16;

    private SpooledFile() {}

    /** Returns the folder of temporary files. */
    static Path folder() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }

    /**
     * Opens a new file. The folder is often shared, so only this user may read the file. The system deletes it on
     * close, so that even a killed program leaves nothing behind; a mapping stays valid.
     */
    static FileChannel channel() throws IOException {
        return FileChannel.open(
                Files.createTempFile(folder(), "cellfuse-", ".tmp"), // readable by its owner alone
                Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE));
    }

    /**
     * Copies all of {@code stream}, which is closed then, into a temporary file.
     *
     * @param label the stream, as messages name it
     * @throws io.github.cellfuse.CellFuseException when reading or the disk fails
     */
    public static MappedFile of(InputStream stream, Object label) {
        byte[] buffer = new byte[BUFFER];
        try (stream;
                FileChannel channel = channel()) {
            long at = 0;
            for (int count; (count = stream.read(buffer)) >= 0; at += count) {
                ArrayRegion.write(channel, at, ByteBuffer.wrap(buffer, 0, count));
            }
            return MappedFile.of(label, channel);
        } catch (IOException e) {
            throw Problems.io(label, "copying it into " + folder(), e);
        }
    }
}
