package io.github.cellfuse.format.file;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A whole file mapped read-only, in windows, because one Java buffer ends at 2 GiB. Thread safe.
 *
 * <p>All windows are mapped when it is opened: that reserves addresses and reads nothing, and the channel can be closed
 * at once. (A channel kept for later windows would be closed under its other readers by the first interrupted thread.)
 * The memory is unmapped by the garbage collector some time after {@link #close()}: Java 17 has no safe way to do it
 * sooner.
 */
public final class MappedFile implements AutoCloseable {
    private static final long WINDOW = 1L << 30;

    /**
     * From this size on, elements are read and not taken from the mapping: pages of the mapping that were touched count
     * as memory of the process until they are unmapped, which may be never.
     */
    private static final long READ_BYTES = 1L << 20;

    /** Windows overlap by the widest element, so that no element ever lies across two. */
    private static final int OVERLAP = Long.BYTES;

    private final Object label;
    private final Optional<FileState> state; // empty for a file of our own
    private final long size;
    private final long windowBytes;
    private volatile ByteBuffer[] windows;

    private MappedFile(Object label, Optional<FileState> state, FileChannel channel, long windowBytes)
            throws IOException {
        this.label = label;
        this.state = state;
        this.size = channel.size();
        this.windowBytes = windowBytes;
        windows = new ByteBuffer[Math.toIntExact((size + windowBytes - 1) / windowBytes)];
        for (int k = 0; k < windows.length; k++) {
            long start = k * windowBytes;
            long length = Math.min(windowBytes + OVERLAP, size - start);
            windows[k] = channel.map(FileChannel.MapMode.READ_ONLY, start, length);
        }
    }

    private MappedFile(MappedFile other) {
        label = other.label;
        state = other.state;
        size = other.size;
        windowBytes = other.windowBytes;
        windows = other.windows;
    }

    public static MappedFile open(Path path) {
        return open(path, WINDOW);
    }

    /** With another window size, for the tests of the borders. */
    public static MappedFile open(Path path, long windowBytes) {
        Problems.checkIsFile(path);
        try {
            FileState state = FileState.of(path);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                return new MappedFile(path, Optional.of(state), channel, windowBytes);
            }
        } catch (IOException e) {
            throw Problems.io(path, "opening", e);
        }
    }

    /** Maps what {@code channel} holds now, a file of our own; the channel may be closed afterwards. */
    static MappedFile of(Object label, FileChannel channel) throws IOException {
        return new MappedFile(label, Optional.empty(), channel, WINDOW);
    }

    /** Returns the same mapping, closed on its own. */
    MappedFile share() {
        return new MappedFile(this);
    }

    /** Returns the file's name in messages. */
    public Object label() {
        return label;
    }

    /** Returns the number of bytes in the file when it was opened. */
    public long size() {
        return size;
    }

    /**
     * The bytes from {@code position} on, little-endian: as many as the window has, at most {@code bytes}, a multiple
     * of {@code elementBytes} (1 to 8), and at least one element. The caller stays within the file.
     */
    public ByteBuffer view(long position, long bytes, int elementBytes) {
        ByteBuffer[] open = windows;
        if (open == null) {
            throw new CellFuseException(label + ": the file has been closed");
        }
        int window = (int) (position / windowBytes);
        int start = (int) (position - window * windowBytes);
        int length = (int) Math.min(bytes, open[window].limit() - start);
        return open[window].slice(start, length - length % elementBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns a copy of {@code count} bytes from {@code position} on. */
    public byte[] bytes(long position, int count) {
        byte[] copy = new byte[count];
        guarded(() -> {
            for (int done = 0; done < count; ) {
                ByteBuffer view = view(position + done, count - done, 1);
                int part = view.remaining();
                view.get(copy, done, part);
                done += part;
            }
        });
        return copy;
    }

    /** Returns the {@code count} bytes from {@code position} on as a buffer of their own, little-endian. */
    public ByteBuffer copy(long position, int count) {
        return ByteBuffer.wrap(bytes(position, count)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Fills what remains of {@code target} with elements from {@code position} on, converted to float32. */
    public void readFloats(long position, ElementType type, ByteOrder order, FloatBuffer target) {
        readFloats(new long[] {position}, type, order, target);
    }

    /**
     * Fills what remains of {@code target} with pieces of equal length, converted to float32.
     *
     * @param positions where each piece begins
     */
    public void readFloats(long[] positions, ElementType type, ByteOrder order, FloatBuffer target) {
        guarded(() -> {
            if (!readUnmapped(positions, type, order, target)) {
                forPieces(positions, target, (position, piece) -> viewFloats(position, type, order, piece));
            }
        });
        target.position(target.limit());
    }

    /** Reads from a position on. */
    private interface Reading<E extends Exception> {
        void read(long position, FloatBuffer piece) throws E;
    }

    private static <E extends Exception> void forPieces(long[] positions, FloatBuffer target, Reading<E> reading)
            throws E {
        int length = target.remaining() / positions.length;
        for (int k = 0; k < positions.length; k++) {
            reading.read(positions[k], target.slice(target.position() + k * length, length));
        }
    }

    /** Reads through a reader of bytes. */
    public interface ByteReading {
        void read(ElementReader file) throws IOException;
    }

    /**
     * Reads about {@code bytes} bytes from places that the caller chooses.
     *
     * @param reading may be called twice: if the file can't be read, it is taken from the mapping
     */
    public void read(long bytes, ByteReading reading) {
        guarded(() -> {
            if (!readUnmapped(bytes, channel -> reading.read((at, target) -> StagedRead.fill(channel, at, target)))) {
                try {
                    reading.read(this::copy);
                } catch (IOException e) {
                    throw Problems.io(label, "reading", e);
                }
            }
        });
    }

    private void copy(long position, ByteBuffer target) {
        for (long from = position; target.hasRemaining(); ) {
            ByteBuffer view = view(from, target.remaining(), 1);
            from += view.remaining();
            target.put(view);
        }
    }

    private interface ChannelReading {
        void read(FileChannel channel) throws IOException;
    }

    /** Returns whether the elements were read. */
    private boolean readUnmapped(long[] positions, ElementType type, ByteOrder order, FloatBuffer target) {
        long bytes = (long) target.remaining() * type.bytes();
        return readUnmapped(bytes, channel -> {
            StagedRead staged = new StagedRead(bytes / positions.length);
            forPieces(positions, target, (position, piece) -> staged.floats(channel, position, type, order, piece));
        });
    }

    /** Returns whether it was done: for a few bytes, the mapping is faster. */
    private boolean readUnmapped(long bytes, ChannelReading reading) {
        if (bytes < READ_BYTES || state.isEmpty() || windows == null) {
            return false;
        }
        try (FileChannel channel = FileChannel.open((Path) label, StandardOpenOption.READ)) {
            // After it was opened: another file may have this name now, while the mapping still has the old one.
            if (state.get().isSameFile()) {
                reading.read(channel);
                return true;
            }
        } catch (IOException e) {
            // An interrupted thread, a deleted file, no more file descriptors: the mapping has the elements, too.
        }
        return false;
    }

    /** Does the same, for many small pieces within {@link #guarded}. */
    public void viewFloats(long position, ElementType type, ByteOrder order, FloatBuffer target) {
        for (long from = position; target.hasRemaining(); ) {
            ByteBuffer view = view(from, (long) target.remaining() * type.bytes(), type.bytes())
                    .order(order);
            type.toFloats(view, target);
            from += view.capacity();
        }
    }

    /**
     * Reads, and throws if the file has changed since it was opened: what was read is then worth nothing. If a file
     * shrinks while it is mapped, touching the memory throws an {@link InternalError}, or nothing within its last page.
     * The JVM may throw that error only after this method has returned, so the file is also compared before.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file has changed
     */
    public void guarded(Runnable reading) {
        checkUnchanged();
        try {
            reading.run();
            // Inside: the JVM may throw the error of a read at the next call of the system.
            checkUnchanged();
        } catch (InternalError e) {
            throw failed(e);
        } catch (InvalidInputException e) {
            checkUnchanged(); // the better reason
            throw e;
        }
    }

    /** Throws if the file has changed since it was opened. For readers of {@link #view}. */
    public void checkUnchanged() {
        state.ifPresent(FileState::checkUnchanged);
    }

    /** Returns the exception for memory that can't be read; throws if the file has changed. */
    public CellFuseException failed(InternalError cause) {
        checkUnchanged();
        return new CellFuseException(label + ": reading failed: the disk failed", cause);
    }

    @Override
    public void close() {
        windows = null;
    }
}
