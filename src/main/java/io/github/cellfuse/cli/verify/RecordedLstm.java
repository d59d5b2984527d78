package io.github.cellfuse.cli.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Tier;
import java.nio.FloatBuffer;
import java.util.Optional;

/**
 * The {@code java} device, which remembers a batch that it ran: of the largest batches the last one, since the states
 * of a stream are zeros at first. Belongs to one thread.
 */
final class RecordedLstm implements LstmEngine {
    private final LstmEngine java;
    private LstmInput largest;

    RecordedLstm(LstmModel model) {
        java = LstmEngine.open(Device.JAVA, model);
    }

    /** Returns the remembered batch; empty if none ran. */
    Optional<LstmInput> batch() {
        return Optional.ofNullable(largest);
    }

    private void record(LstmInput input) {
        if (largest != null && (long) largest.rows() * largest.steps() > (long) input.rows() * input.steps()) {
            return;
        }
        // The graph uses its memory again.
        FloatBuffer x = FloatBuffer.allocate(input.x().limit())
                .put(0, input.x(), 0, input.x().limit());
        LstmInput copy =
                LstmInput.of(input.layout(), x, input.rows(), input.steps()).withLengths(input.lengths());
        largest = input.initialState()
                .map(state -> copy.withInitialState(
                        new LstmState(state.rows(), state.h().clone(), state.c().clone())))
                .orElse(copy);
    }

    @Override
    public LstmSession newSession() {
        LstmSession session = java.newSession();
        return new LstmSession() {
            @Override
            public void run(LstmInput input, LstmOutput output) {
                record(input);
                session.run(input, output);
            }

            @Override
            public LstmEngine engine() {
                return RecordedLstm.this;
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    @Override
    public Device device() {
        return java.device();
    }

    @Override
    public LstmModel model() {
        return java.model();
    }

    @Override
    public Tier tier() {
        return java.tier();
    }

    @Override
    public String explain(int rows, int steps) {
        return java.explain(rows, steps);
    }

    @Override
    public void close() {
        java.close();
    }
}
