package io.github.cellfuse.batch;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The memory of one chunk, reused for each. Direct and in native byte order, so that devices and files use it without a
 * copy.
 */
final class ChunkBuffers {
    private final LstmModel model;
    private final ChunkSource source;
    private final FloatBuffer x;
    private final FloatBuffer y; // null if nobody reads it
    private LstmState finalState;

    /** Allocates the memory of a chunk, without y unless {@code needsY}. */
    ChunkBuffers(LstmModel model, ChunkSource source, int chunkRows, boolean needsY) {
        this.model = model;
        this.source = source;
        x = direct((long) chunkRows * source.steps() * model.inputSize());
        y = needsY ? direct((long) chunkRows * source.steps() * model.outputSize()) : null;
        finalState = LstmState.zeros(model, chunkRows);
    }

    private static FloatBuffer direct(long floats) {
        return ByteBuffer.allocateDirect(Math.toIntExact(floats * Float.BYTES))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** Returns the memory for the input of {@code rows} rows. */
    FloatBuffer input(int rows) {
        return x.clear().limit(rows * source.steps() * model.inputSize());
    }

    /** Returns the memory for the output of {@code rows} rows. */
    LstmOutput output(int rows) {
        if (finalState.rows() != rows) {
            finalState = LstmState.zeros(model, rows);
        }
        if (y == null) {
            return LstmOutput.statesOnly(source.layout(), rows, source.steps(), finalState);
        }
        y.clear().limit(rows * source.steps() * model.outputSize());
        return new LstmOutput(source.layout(), rows, source.steps(), y, finalState);
    }
}
