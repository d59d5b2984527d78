package io.github.cellfuse.batch;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import java.util.concurrent.atomic.AtomicInteger;

/** The {@code java} device under another name, with faults. */
final class FaultyEngine implements LstmEngine {
    /** What happens instead of a run, or before it. */
    @FunctionalInterface
    interface Fault {
        /**
         * Throws what the device's driver would, waits, or does nothing.
         *
         * @param run the number of the run on this device, from 1 on
         */
        void before(int run, LstmInput input) throws InterruptedException;
    }

    /** What happens to the results of a run. */
    @FunctionalInterface
    interface Lie {
        /** Changes some of {@code output}. {@code run} is as in {@link Fault}. */
        void after(int run, LstmInput input, LstmOutput output);
    }

    private final LstmEngine java;
    private final Device device;
    private final Tier tier;
    private final Fault fault;
    private Lie lie = (run, input, output) -> {};
    private final AtomicInteger runs = new AtomicInteger(), opened = new AtomicInteger(), closed = new AtomicInteger();

    FaultyEngine(LstmModel model, int index, Fault fault) {
        this(model, index, Tier.EXACT, fault);
    }

    FaultyEngine(LstmModel model, int index, Tier tier, Fault fault) {
        java = LstmEngine.open(Device.JAVA, model);
        device = new Device.OpenCl(9, index);
        this.tier = tier;
        this.fault = fault;
    }

    /** Gives wrong results from now on. Returns this engine. */
    FaultyEngine lying(Lie how) {
        lie = how;
        return this;
    }

    /** Returns the number of runs. */
    int runs() {
        return runs.get();
    }

    /** Returns the number of sessions that are open. */
    int openSessions() {
        return opened.get() - closed.get();
    }

    /** Returns the number of sessions that were ever opened. */
    int openedSessions() {
        return opened.get();
    }

    @Override
    public LstmSession newSession() {
        LstmSession session = java.newSession();
        opened.incrementAndGet();
        return new LstmSession() {
            @Override
            public void run(LstmInput input, LstmOutput output) {
                int number = runs.incrementAndGet();
                try {
                    fault.before(number, input);
                } catch (InterruptedException e) {
                    throw new io.github.cellfuse.CellFuseException("interrupted", e);
                }
                session.run(input, output);
                lie.after(number, input, output);
            }

            @Override
            public LstmEngine engine() {
                return FaultyEngine.this;
            }

            @Override
            public void close() {
                closed.incrementAndGet();
                session.close();
            }
        };
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public LstmModel model() {
        return java.model();
    }

    @Override
    public Tier tier() {
        return tier;
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
