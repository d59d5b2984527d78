package io.github.cellfuse.batch;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;

/** The memory for the results of a chunk, used for one chunk after another. Belongs to one thread at a time. */
final class OutputChunk {
    private final LstmModel model;
    private final long floats; // 0 if nobody reads y
    private FloatBuffer y; // null before the first chunk
    private LstmState finalState;
    private LstmOutput output;
    private Rows rows;
    private long flops, validSteps, paddingSteps, readNanos, computeNanos;

    /** Allocates the memory, without y unless {@code needsY}. */
    OutputChunk(LstmModel model, int steps, int mostRows, boolean needsY) {
        this.model = model;
        floats = needsY ? (long) mostRows * steps * model.outputSize() : 0;
        finalState = LstmState.zeros(model, mostRows);
    }

    /** Allocates the memory now; clearing it takes long. */
    void allocate() {
        if (y == null && floats > 0) {
            y = DirectFloats.allocate(floats);
        }
    }

    /** Returns the memory for the results of {@code chunk}. */
    LstmOutput prepare(InputChunk chunk) {
        LstmInput input = chunk.input();
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

    /** The results of {@code chunk} are there. */
    void computed(InputChunk chunk, long nanos) {
        rows = chunk.rows();
        flops = chunk.flops();
        validSteps = chunk.validSteps();
        paddingSteps = chunk.paddingSteps();
        readNanos = chunk.nanos();
        computeNanos = nanos;
    }

    LstmOutput output() {
        return output;
    }

    Rows rows() {
        return rows;
    }

    /** Returns the floating-point operations of the valid steps. */
    long flops() {
        return flops;
    }

    /** Returns the valid steps of all rows. */
    long validSteps() {
        return validSteps;
    }

    /** Returns the steps that were in memory, and that no row has. */
    long paddingSteps() {
        return paddingSteps;
    }

    /** Returns how long reading the chunk took. */
    long readNanos() {
        return readNanos;
    }

    /** Returns how long computing the chunk took. */
    long computeNanos() {
        return computeNanos;
    }
}
