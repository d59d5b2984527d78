package io.github.cellfuse.format.file;

import io.github.cellfuse.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Bytes that lie one after the other in a file, mapped read-only: the whole file, or an entry of an archive. Thread
 * safe; reads are refused after {@link #close()}, and the memory is given back by the garbage collector.
 */
public final class FileRegion implements AutoCloseable {
    private final String label;
    private final MappedFile file;
    private final long start;
    private final long size;

    FileRegion(String label, MappedFile file, long start, long size) {
        this.label = label;
        this.file = file;
        this.start = start;
        this.size = size;
    }

    /**
     * A whole file.
     *
     * @throws InvalidInputException when there is no such file, or it can't be opened
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static FileRegion open(Path path) {
        MappedFile file = MappedFile.open(path);
        return new FileRegion(path.toString(), file, 0, file.size());
    }

    /** Returns the name in messages: the file, and the entry in brackets. */
    public String label() {
        return label;
    }

    /** Returns its bytes. */
    public long size() {
        return size;
    }

    /**
     * Returns all of it as one read-only, little-endian buffer, or nothing if it is too large (about 1 GiB) or empty.
     */
    public Optional<ByteBuffer> whole() {
        if (size == 0 || size > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        ByteBuffer view = file.view(start, size, 1);
        return view.remaining() == size ? Optional.of(view) : Optional.empty();
    }

    /** Returns a copy of the {@code count} bytes from {@code position} on. */
    public byte[] bytes(long position, int count) {
        if (position < 0 || count < 0 || position > size - count) {
            throw Problems.invalid(
                    label, "expected " + count + " bytes from byte " + position + " on, found the end at byte " + size);
        }
        return file.bytes(start + position, count);
    }

    /**
     * All of it as text.
     *
     * @param what what it is, for the message
     * @param mostBytes how long it may be
     * @throws InvalidInputException when it is longer or isn't UTF-8
     */
    public String text(String what, int mostBytes) {
        if (size > mostBytes) {
            throw Problems.invalid(label, "expected " + what + " of at most " + mostBytes + " bytes, found " + size);
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes(0, (int) size)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Problems.invalid(label, "expected " + what + " in UTF-8, found other bytes", e);
        }
    }

    public MappedFile file() {
        return file;
    }

    /** Returns where it begins in {@link #file()}. */
    public long start() {
        return start;
    }

    /** Refuses further reads. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }
}
