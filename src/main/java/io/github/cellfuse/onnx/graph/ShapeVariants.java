package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The sessions of a model in which the shapes of the inputs choose branches that hold LSTMs: one for each set of
 * shapes. The ones that were used last are kept. Not thread safe.
 */
final class ShapeVariants implements AutoCloseable {
    /** The most sessions to keep. */
    private static final int MOST = 4;

    private final OnnxModel model;
    private final Function<LstmModel, LstmEngine> opener;
    private final Map<Map<String, List<Long>>, OnnxSession> sessions = new LinkedHashMap<>(16, 0.75f, true);
    private OnnxSession last;

    ShapeVariants(OnnxModel model, Function<LstmModel, LstmEngine> opener) {
        this.model = model;
        this.opener = opener;
    }

    /** Returns the session for inputs of these shapes. */
    OnnxSession of(Map<String, Tensor> inputs) {
        Map<String, List<Long>> shapes = new HashMap<>();
        inputs.forEach((name, tensor) ->
                shapes.put(name, Arrays.stream(tensor.shape()).boxed().toList()));
        OnnxSession session = sessions.get(shapes);
        if (session == null) {
            if (sessions.size() == MOST) {
                Iterator<OnnxSession> oldest = sessions.values().iterator();
                OnnxSession unused = oldest.next();
                oldest.remove();
                unused.close();
            }
            Map<String, long[]> known = new HashMap<>();
            inputs.forEach((name, tensor) -> known.put(name, tensor.shape()));
            session = new OnnxSession(model.withShapes(known), opener);
            sessions.put(shapes, session);
        }
        last = session;
        return session;
    }

    /** Returns the model of the last run; empty before a run. */
    Optional<OnnxModel> model() {
        return Optional.ofNullable(last).map(OnnxSession::model);
    }

    /** Returns the engines of the last run, lowest LSTM first; none before a run. */
    List<LstmEngine> engines() {
        return last == null ? List.of() : last.engines();
    }

    /** Returns how the LSTMs of the last run ran. */
    List<String> explain() {
        return last == null ? List.of() : last.explain();
    }

    @Override
    public void close() {
        RuntimeException failure = null;
        for (OnnxSession session : sessions.values()) {
            try {
                session.close();
            } catch (RuntimeException e) {
                failure = e;
            }
        }
        sessions.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
