package io.github.cellfuse.batch;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/** The memory for the sequences of a chunk. */
final class InputChunk implements ChunkInput {
    private final LstmModel model;
    private final ChunkSource source;
    private final long floats;
    private FloatBuffer x; // null before the first chunk
    private LstmInput input;

    InputChunk(LstmModel model, ChunkSource source, int mostRows) {
        this.model = model;
        this.source = source;
        floats = (long) mostRows * source.steps() * model.inputSize();
    }

    @Override
    public void read(long firstRow, int rows) {
        if (x == null) {
            // In the thread that reads: clearing new memory takes long, and a device may be computing meanwhile.
            x = DirectFloats.allocate(floats);
        }
        x.clear().limit(rows * source.steps() * model.inputSize());
        source.readInput(firstRow, rows, x);
        Optional<int[]> lengths = source.readLengths(firstRow, rows);
        Optional<LstmState> state = source.readInitialState(firstRow, rows);
        LstmInput batch = LstmInput.of(source.layout(), x, rows, source.steps());
        batch = lengths.map(batch::withLengths).orElse(batch);
        input = state.map(batch::withInitialState).orElse(batch);
    }

    LstmInput input() {
        return input;
    }

    /** Returns the floating-point operations of the valid steps. */
    @Override
    public long flops() {
        return Math.multiplyExact(Arrays.stream(input.lengths()).asLongStream().sum(), model.flopsPerStep());
    }
}
