package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;

/** A sink that passes everything on; a test overrides what it changes. */
class ForwardingSink implements ChunkSink {
    private final ChunkSink to;

    ForwardingSink(ChunkSink to) {
        this.to = to;
    }

    @Override
    public int write(long firstRow, LstmOutput output) {
        return to.write(firstRow, output);
    }

    @Override
    public int checksum(long firstRow, int rows) {
        return to.checksum(firstRow, rows);
    }

    @Override
    public void force() {
        to.force();
    }
}
