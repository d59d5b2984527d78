package io.github.cellfuse.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import java.util.function.BiConsumer;

/** The java engine with its results changed behind its back: a device with a fault. */
record TamperedEngine(LstmEngine java, Tier tier, BiConsumer<LstmInput, LstmOutput> fault) implements LstmEngine {
    TamperedEngine(LstmModel model, Tier tier, BiConsumer<LstmInput, LstmOutput> fault) {
        this(LstmEngine.open(Device.JAVA, model), tier, fault);
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
    public String explain(int rows, int steps) {
        return "tampered";
    }

    @Override
    public LstmSession newSession() {
        LstmSession session = java.newSession();
        return new LstmSession() {
            @Override
            public void run(LstmInput input, LstmOutput output) {
                session.run(input, output);
                fault.accept(input, output);
            }

            @Override
            public LstmEngine engine() {
                return TamperedEngine.this;
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    @Override
    public void close() {
        java.close();
    }
}
