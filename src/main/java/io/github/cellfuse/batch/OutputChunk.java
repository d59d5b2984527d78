package io.github.cellfuse.batch;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;

/** The memory for y and the final states of a chunk. */
final class OutputChunk implements ChunkOutput {
    private final LstmModel model;
    private final ChunkSink sink;
    private final long floats; // 0 if nobody reads y
    private FloatBuffer y; // null before the first chunk
    private LstmState finalState;
    private LstmOutput output;

    /** Prepares the memory, without y unless {@code sink} reads it. */
    OutputChunk(LstmModel model, int steps, int mostRows, ChunkSink sink) {
        this.model = model;
        this.sink = sink;
        floats = sink.needsY() ? (long) mostRows * steps * model.outputSize() : 0;
        finalState = LstmState.zeros(model, mostRows);
    }

    @Override
    public void allocate() {
        if (y == null && floats > 0) {
            y = DirectFloats.allocate(floats);
        }
    }

    /** Returns the memory for the results of {@code input}. */
    LstmOutput prepare(LstmInput input) {
        if (finalState.rows() != input.rows()) {
            finalState = LstmState.zeros(model, input.rows());
        }
        if (floats == 0) {
            output = LstmOutput.statesOnly(input.layout(), input.rows(), input.steps(), finalState);
            return output;
        }
        allocate();
        y.clear().limit(input.rows() * input.steps() * model.outputSize());
        output = new LstmOutput(input.layout(), input.rows(), input.steps(), y, finalState);
        return output;
    }

    /** Returns the results of the last chunk. */
    LstmOutput output() {
        return output;
    }

    @Override
    public int write(long firstRow, int rows) {
        CanonicalNaN.apply(output);
        return sink.write(firstRow, output);
    }
}
