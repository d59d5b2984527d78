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
    private long validSteps;

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
        Optional<int[]> lengths = source.readLengths(firstRow, rows);
        // No longer than its longest row: what follows is neither read nor moved to a device.
        int steps = lengths.map(InputChunk::longest).orElse(source.steps());
        x.clear().limit(rows * steps * model.inputSize());
        source.readInput(firstRow, rows, steps, x);
        Optional<LstmState> state = source.readInitialState(firstRow, rows);
        LstmInput batch = LstmInput.of(source.layout(), x, rows, steps);
        batch = lengths.map(batch::withLengths).orElse(batch);
        input = state.map(batch::withInitialState).orElse(batch);
        validSteps = Arrays.stream(input.lengths()).asLongStream().sum();
    }

    private static int longest(int[] lengths) {
        return Math.max(1, Arrays.stream(lengths).max().orElseThrow());
    }

    LstmInput input() {
        return input;
    }

    /** Returns the floating-point operations of the valid steps. */
    @Override
    public long flops() {
        return Math.multiplyExact(validSteps, model.flopsPerStep());
    }

    @Override
    public long validSteps() {
        return validSteps;
    }

    @Override
    public long paddingSteps() {
        return (long) input.rows() * input.steps() - validSteps;
    }
}
