package io.github.cellfuse.batch;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Optional;

/** A source that passes everything on; a test overrides what it changes. */
class ForwardingSource implements ChunkSource {
    private final ChunkSource to;

    ForwardingSource(ChunkSource to) {
        this.to = to;
    }

    @Override
    public Layout layout() {
        return to.layout();
    }

    @Override
    public long rows() {
        return to.rows();
    }

    @Override
    public int steps() {
        return to.steps();
    }

    @Override
    public void readInput(long firstRow, int rows, int steps, FloatBuffer x) {
        to.readInput(firstRow, rows, steps, x);
    }

    @Override
    public Optional<int[]> readLengths(long firstRow, int rows) {
        return to.readLengths(firstRow, rows);
    }

    @Override
    public Optional<LstmState> readInitialState(long firstRow, int rows) {
        return to.readInitialState(firstRow, rows);
    }
}
