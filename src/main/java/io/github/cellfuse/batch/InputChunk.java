package io.github.cellfuse.batch;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/** The memory for the input of a chunk, used for one chunk after another. Belongs to one thread at a time. */
final class InputChunk {
    private final LstmModel model;
    private final long floats;
    private FloatBuffer x; // null before the first chunk
    private Rows rows;
    private LstmInput input;
    private long validSteps, nanos;

    InputChunk(LstmModel model, int steps, int mostRows) {
        this.model = model;
        floats = (long) mostRows * steps * model.inputSize();
    }

    /** Reads rows of {@code source}. */
    void read(ChunkSource source, Rows wanted) {
        long start = System.nanoTime();
        int count = wanted.count();
        if (x == null) {
            // In the thread that reads: clearing new memory takes long, and a device may be computing meanwhile.
            x = DirectFloats.allocate(floats);
        }
        Optional<int[]> lengths = source.readLengths(wanted.first(), count);
        // No longer than its longest row: what follows is neither read nor moved to a device.
        int steps = lengths.map(InputChunk::longest).orElse(source.steps());
        x.clear().limit(count * steps * model.inputSize());
        source.readInput(wanted.first(), count, steps, x);
        Optional<LstmState> state = source.readInitialState(wanted.first(), count);
        LstmInput batch = LstmInput.of(source.layout(), x, count, steps);
        batch = lengths.map(batch::withLengths).orElse(batch);
        input = state.map(batch::withInitialState).orElse(batch);
        rows = wanted;
        validSteps = Arrays.stream(input.lengths()).asLongStream().sum();
        nanos = System.nanoTime() - start;
    }

    private static int longest(int[] lengths) {
        return Math.max(1, Arrays.stream(lengths).max().orElseThrow());
    }

    Rows rows() {
        return rows;
    }

    LstmInput input() {
        return input;
    }

    /** Returns how long reading took. */
    long nanos() {
        return nanos;
    }

    /** Returns the floating-point operations of the valid steps. */
    long flops() {
        return Math.multiplyExact(validSteps, model.flopsPerStep());
    }

    /** Returns the valid steps of all rows. */
    long validSteps() {
        return validSteps;
    }

    /** Returns the steps that are in memory, and that no row has. */
    long paddingSteps() {
        return (long) input.rows() * input.steps() - validSteps;
    }
}
