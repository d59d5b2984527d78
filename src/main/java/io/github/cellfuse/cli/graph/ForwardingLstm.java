package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Tier;
import java.nio.FloatBuffer;

/** An engine that watches the batches of another one, which it closes. Subclasses make the sessions. */
public abstract class ForwardingLstm implements LstmEngine {
    private final LstmEngine engine;

    protected ForwardingLstm(LstmEngine engine) {
        this.engine = engine;
    }

    /** Returns a batch with memory of its own: a graph uses the memory of its batches again. */
    protected static LstmInput copy(LstmInput input) {
        FloatBuffer x = FloatBuffer.allocate(input.x().limit())
                .put(0, input.x(), 0, input.x().limit());
        LstmInput copy =
                LstmInput.of(input.layout(), x, input.rows(), input.steps()).withLengths(input.lengths());
        return input.initialState()
                .map(state -> copy.withInitialState(
                        new LstmState(state.rows(), state.h().clone(), state.c().clone())))
                .orElse(copy);
    }

    @Override
    public final Device device() {
        return engine.device();
    }

    @Override
    public final LstmModel model() {
        return engine.model();
    }

    @Override
    public final Tier tier() {
        return engine.tier();
    }

    @Override
    public final String explain(int rows, int steps) {
        return engine.explain(rows, steps);
    }

    @Override
    public final void close() {
        engine.close();
    }
}
