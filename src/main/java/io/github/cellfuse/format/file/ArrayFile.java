package io.github.cellfuse.format.file;

/** A file of arrays that appears under its name when it is complete. */
public interface ArrayFile extends AutoCloseable {
    /**
     * Gives the file its full length, when all arrays have been added and what earlier runs wrote has been marked.
     * Checks that there is space for the rest.
     *
     * @throws io.github.cellfuse.CellFuseException when there isn't, or the disk fails
     */
    void reserve();

    /**
     * Makes durable what has been written.
     *
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file is closed
     */
    void force();

    /**
     * Makes the file durable and gives it its name. It is closed afterwards, whether that succeeded or not; a resumable
     * file that failed stays unfinished.
     *
     * @throws io.github.cellfuse.CellFuseException when elements were never written, the disk fails, or the file is
     *     closed
     */
    void commit();

    /** Closes the file and deletes what was written, unless it was committed. Never throws. */
    void delete();

    /** Does what {@link #delete()} does, but keeps a resumable file. Closing twice does nothing. */
    @Override
    void close();
}
