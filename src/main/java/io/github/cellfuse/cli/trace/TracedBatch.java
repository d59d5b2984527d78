package io.github.cellfuse.cli.trace;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.spi.LayerTrace;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * What happened inside the cells of an LSTM in a run.
 *
 * @param name the LSTM's name in its model; empty if the model has one
 * @param model the LSTM
 * @param input the batch that ran
 * @param rowNumbers the numbers of its rows in the user's batch
 * @param layers the values of each layer
 * @param hasSameBits whether the results have the bits of a run that wasn't traced
 */
public record TracedBatch(
        String name, LstmModel model, LstmInput input, int[] rowNumbers, List<LayerTrace> layers, boolean hasSameBits) {

    /**
     * Runs a batch twice, once traced.
     *
     * @throws InvalidInputException if the engine can't be traced
     */
    public static TracedBatch run(String name, LstmEngine engine, LstmInput input, int[] rowNumbers) {
        TracingEngine tracing = TracedLstm.tracing(engine);
        LstmModel model = engine.model();
        LstmOutput traced = LstmOutput.allocate(model, input), usual = LstmOutput.allocate(model, input);
        List<LayerTrace> layers;
        try (TracedSession session = tracing.newTracedSession()) {
            layers = TracedLstm.run(session, model, input, traced);
        }
        try (LstmSession session = engine.newSession()) {
            session.run(input, usual);
        }
        boolean hasSameBits = areSame(traced.y(), usual.y())
                && areSame(
                        wrap(traced.finalState().h()), wrap(usual.finalState().h()))
                && areSame(
                        wrap(traced.finalState().c()), wrap(usual.finalState().c()));
        return new TracedBatch(name, model, input, rowNumbers, layers, hasSameBits);
    }

    private static FloatBuffer wrap(float[] values) {
        return FloatBuffer.wrap(values);
    }

    private static boolean areSame(FloatBuffer one, FloatBuffer other) {
        for (int k = 0; k < one.limit(); k++) {
            if (Float.floatToIntBits(one.get(k)) != Float.floatToIntBits(other.get(k))) {
                return false;
            }
        }
        return one.limit() == other.limit();
    }
}
