package io.github.cellfuse.cli.graph;

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

/** The {@code java} device, which remembers one of the largest batches that it ran. Belongs to one thread. */
final class RecordedLstm implements LstmEngine {
    private final LstmEngine java;
    private final boolean keepsFirst;
    private LstmInput largest;

    /**
     * Opens the device.
     *
     * @param keepsFirst whether it remembers the first of the largest batches, not the last
     */
    RecordedLstm(LstmModel model, boolean keepsFirst) {
        java = LstmEngine.open(Device.JAVA, model);
        this.keepsFirst = keepsFirst;
    }

    /** Returns the remembered batch; empty if none ran. */
    Optional<LstmInput> batch() {
        return Optional.ofNullable(largest);
    }

    private void record(LstmInput input) {
        if (largest != null && size(largest) > size(input) - (keepsFirst ? 1 : 0)) {
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

    private static long size(LstmInput batch) {
        return (long) batch.rows() * batch.steps();
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
