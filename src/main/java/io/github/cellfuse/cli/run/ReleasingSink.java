package io.github.cellfuse.cli.run;

import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.format.file.Coverage;

/** Lets the input forget the rows that are written, as it keeps what comes through a pipe. */
final class ReleasingSink implements ChunkSink {
    private final RunOutput file;
    private final RunInput input;
    private final Coverage written = new Coverage();

    ReleasingSink(RunOutput file, RunInput input) {
        this.file = file;
        this.input = input;
    }

    @Override
    public boolean needsY() {
        return file.needsY();
    }

    @Override
    public int write(long firstRow, LstmOutput output) {
        int checksum = file.write(firstRow, output);
        written.add(firstRow, firstRow + output.rows());
        input.release(written.firstMissing());
        return checksum;
    }

    @Override
    public int checksum(long firstRow, int rows) {
        return file.checksum(firstRow, rows);
    }

    @Override
    public void reserve() {
        file.reserve();
    }

    @Override
    public void force() {
        file.force();
    }
}
