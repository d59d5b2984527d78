package io.github.cellfuse.verify;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.LayerTrace;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The expected values of single steps of one direction of a layer, from given states. Steps of different rows and times
 * are independent of each other then, so they run as the rows of one batch with one step. Not thread safe.
 */
final class CellTwin implements AutoCloseable {
    private final LstmModel model;
    private final LstmEngine engine;
    private final TracedSession session;

    private CellTwin(LstmModel model, TracingEngine engine) {
        this.model = model;
        this.engine = engine;
        session = engine.newTracedSession();
    }

    /** Opens one direction of a layer; empty if the engine can't be traced. */
    static Optional<CellTwin> open(Function<LstmModel, LstmEngine> expected, LstmLayer layer, int direction) {
        LstmModel model =
                new LstmModel(Direction.FORWARD, List.of(List.of(layer.weights().get(direction))));
        LstmEngine engine = expected.apply(model);
        if (engine instanceof TracingEngine tracing) {
            return Optional.of(new CellTwin(model, tracing));
        }
        engine.close();
        return Optional.empty();
    }

    /**
     * Returns the values {@code [cells,H]} of independent steps.
     *
     * @param x features {@code [cells,I]}
     * @param h hidden states before the steps {@code [cells,P]}
     * @param c cell states before the steps {@code [cells,H]}
     */
    LayerTrace steps(int cells, float[] x, float[] h, float[] c) {
        LstmInput input = LstmInput.batchMajor(x, cells, 1).withInitialState(new LstmState(cells, h, c));
        LayerTrace trace = new LayerTrace(model, 0, input);
        session.run(input, LstmOutput.allocate(model, input), trace);
        return trace;
    }

    @Override
    public void close() {
        session.close();
        engine.close();
    }
}
