package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import java.util.Optional;

/** The {@code java} device, which remembers one of the largest batches that it ran. Belongs to one thread. */
final class RecordedLstm extends ForwardingLstm {
    private final LstmEngine java;
    private final boolean keepsFirst;
    private LstmInput largest;

    /**
     * Opens the device.
     *
     * @param keepsFirst whether it remembers the first of the largest batches, not the last
     */
    RecordedLstm(LstmModel model, boolean keepsFirst) {
        this(LstmEngine.open(Device.JAVA, model), keepsFirst);
    }

    private RecordedLstm(LstmEngine java, boolean keepsFirst) {
        super(java);
        this.java = java;
        this.keepsFirst = keepsFirst;
    }

    /** Returns the remembered batch; empty if none ran. */
    Optional<LstmInput> batch() {
        return Optional.ofNullable(largest);
    }

    private void record(LstmInput input) {
        if (largest == null || size(largest) <= size(input) - (keepsFirst ? 1 : 0)) {
            largest = copy(input);
        }
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
}
