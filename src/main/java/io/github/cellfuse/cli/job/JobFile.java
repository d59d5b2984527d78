package io.github.cellfuse.cli.job;

import io.github.cellfuse.batch.BatchOutput;

/** The file that a job writes. It appears under its name when it is committed. */
public interface JobFile extends BatchOutput, AutoCloseable {
    /** Makes the file appear under its name, after every row has been written. */
    void commit();

    /** Deletes the file unless it was committed. */
    void delete();

    /** Closes the file, and deletes it unless it was committed or is resumable. */
    @Override
    void close();
}
