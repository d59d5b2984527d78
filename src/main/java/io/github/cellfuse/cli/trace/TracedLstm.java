package io.github.cellfuse.cli.trace;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.cli.graph.ForwardingLstm;
import io.github.cellfuse.spi.LayerTrace;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An engine whose runs are all traced; the last trace is kept. So the run of a graph gives its results and what
 * happened in its cells, and the device compiles one variant of its kernels. Belongs to one thread.
 */
public final class TracedLstm extends ForwardingLstm {
    private final TracingEngine engine;
    private LstmInput input;
    private List<LayerTrace> layers;

    private TracedLstm(TracingEngine engine) {
        super(engine);
        this.engine = engine;
    }

    /**
     * Returns an engine that traces the runs of {@code engine}, and closes it.
     *
     * @throws InvalidInputException if it can't be traced; it is closed then
     */
    public static TracedLstm of(LstmEngine engine) {
        try {
            return new TracedLstm(tracing(engine));
        } catch (InvalidInputException e) {
            engine.close();
            throw e;
        }
    }

    /**
     * Returns the same engine.
     *
     * @throws InvalidInputException if it can't be traced
     */
    static TracingEngine tracing(LstmEngine engine) {
        if (engine instanceof TracingEngine tracing) {
            return tracing;
        }
        throw new InvalidInputException(
                "device " + engine.device() + " can't be traced; expected java or an OpenCL device");
    }

    /** Runs a batch and returns what happened in the cells of each layer. */
    static List<LayerTrace> run(TracedSession session, LstmModel model, LstmInput input, LstmOutput output) {
        List<LayerTrace> layers = IntStream.range(0, model.layerCount())
                .mapToObj(layer -> new LayerTrace(model, layer, input))
                .toList();
        session.run(input, output, steps -> layers.forEach(layer -> layer.onSteps(steps)));
        return layers;
    }

    /**
     * Returns the last run as the only LSTM of a model, with its rows numbered from 0.
     *
     * @param lengths the steps of each row to show; the model runs forward, so the later ones have no part in them
     * @param hasSameBits whether the run had the bits of one that wasn't traced
     */
    public TracedBatch last(int[] lengths, boolean hasSameBits) {
        if (layers == null) {
            throw new IllegalStateException("nothing ran");
        }
        int[] rows = IntStream.range(0, input.rows()).toArray();
        return new TracedBatch("", model(), input.withLengths(lengths), rows, layers, hasSameBits);
    }

    @Override
    public LstmSession newSession() {
        TracedSession session = engine.newTracedSession();
        return new LstmSession() {
            @Override
            public void run(LstmInput batch, LstmOutput output) {
                layers = TracedLstm.run(session, model(), batch, output);
                input = copy(batch);
            }

            @Override
            public LstmEngine engine() {
                return TracedLstm.this;
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }
}
