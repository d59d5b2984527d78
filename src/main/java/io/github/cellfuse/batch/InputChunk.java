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
    private long nanos;

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
        x.clear().limit(count * source.steps() * model.inputSize());
        source.readInput(wanted.first(), count, x);
        Optional<int[]> lengths = source.readLengths(wanted.first(), count);
        Optional<LstmState> state = source.readInitialState(wanted.first(), count);
        LstmInput batch = LstmInput.of(source.layout(), x, count, source.steps());
        batch = lengths.map(batch::withLengths).orElse(batch);
        input = state.map(batch::withInitialState).orElse(batch);
        rows = wanted;
        nanos = System.nanoTime() - start;
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
        return Math.multiplyExact(Arrays.stream(input.lengths()).asLongStream().sum(), model.flopsPerStep());
    }
}
