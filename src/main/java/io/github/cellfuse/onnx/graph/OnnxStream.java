package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Calls of a model that keeps no state itself, but takes it and gives it back: outputs become inputs of the next call. Each row of a batch is a
 * stream of its own. Not thread safe. Doesn't own the session, which may run other things in between.
 *
 * <pre>{@code
 * OnnxStream stream = new OnnxStream(session, Map.of("state", "stateN"));
 * for (Tensor frame : frames) {
 *     Tensor probability = stream.run(Map.of("input", frame)).get("output");
 * }
 * }</pre>
 */
public final class OnnxStream {
    private final OnnxSession session;
    private final Map<String, String> states;
    private final Map<String, Tensor> values = new HashMap<>();

    /**
     * @param states inputs and the outputs that they are in the next call
     * @throws InvalidInputException when there is no such input or output, or the types of the two differ
     */
    public OnnxStream(OnnxSession session, Map<String, String> states) {
        this.session = session;
        this.states = new LinkedHashMap<>(states);
        OnnxModel model = session.model();
        Set<String> taken = new HashSet<>();
        states.forEach((name, from) -> {
            GraphValue input = OnnxModel.find(model.path(), "input", name, model.inputs());
            GraphValue output = OnnxModel.find(model.path(), "output", from, model.outputs());
            if (!input.typeName().equals(output.typeName())) {
                throw new InvalidInputException(model.path() + ": state " + name + "=" + from
                        + ": expected one type, found " + input.describe() + " and " + output.describe());
            }
            if (!taken.add(from)) {
                throw new InvalidInputException(
                        model.path() + ": output '" + from + "': expected one state that it becomes, found two");
            }
        });
    }

    /**
     * The next call.
     *
     * @param inputs those that aren't states. A state among them replaces what it was: so a stream begins with other states than zeros
     * @return the outputs, the states among them, in memory that the next call uses again
     * @throws InvalidInputException when an input is missing, unknown, or doesn't fit; or at the first call, when the size of a state doesn't
     *     follow from the inputs
     */
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        Map<String, Tensor> all = new HashMap<>(inputs);
        for (String name : states.keySet()) {
            if (!all.containsKey(name)) {
                all.put(name, values.computeIfAbsent(name, n -> zeros(n, inputs)));
            }
        }
        Map<String, Tensor> results = session.runInPlace(all);
        states.forEach((name, from) -> keep(name, results.get(from)));
        return results;
    }

    /** Starts new streams: the next call begins with zeros, or what it is given. */
    public void reset() {
        values.clear();
    }

    /** The session's memory is written again by the next call, which reads this. */
    private void keep(String name, Tensor result) {
        Tensor own = values.get(name);
        if (own == null || own.type() != result.type() || !Arrays.equals(own.shape(), result.shape())) {
            own = Tensor.zeros(result.type(), result.shape());
            values.put(name, own);
        }
        ByteBuffer target = own.memory();
        target.put(result.bytes());
    }

    private Tensor zeros(String name, Map<String, Tensor> inputs) {
        OnnxModel model = session.model();
        GraphValue input = OnnxModel.find(model.path(), "input", name, model.inputs());
        Map<String, Long> symbols = model.symbols(inputs);
        List<GraphValue.Dimension> dimensions = input.dimensions().orElseThrow(() -> unknown(input, "its rank"));
        List<Integer> open = new ArrayList<>();
        long[] shape = new long[dimensions.size()];
        for (int axis = 0; axis < shape.length; axis++) {
            GraphValue.Dimension dimension = dimensions.get(axis);
            Long size = dimension.isFixed() ? Long.valueOf(dimension.size()) : symbols.get(dimension.symbol());
            if (size == null) {
                open.add(axis);
            } else {
                shape[axis] = size;
            }
        }
        if (open.size() == 1 && rows(inputs) >= 0) {
            shape[open.get(0)] = rows(inputs); // one stream per row
        } else if (!open.isEmpty()) {
            throw unknown(input, "dimension " + open.get(0));
        }
        ElementType type = input.type().orElseThrow(() -> unknown(input, "its type"));
        return Tensor.zeros(type, shape);
    }

    /** Returns the rows of the inputs that aren't states: their first dimension, where they agree in it; otherwise -1. */
    private long rows(Map<String, Tensor> inputs) {
        long rows = -1;
        for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
            if (!states.containsKey(input.getKey()) && input.getValue().rank() > 0) {
                long first = input.getValue().dimension(0);
                if (rows >= 0 && rows != first) {
                    return -1;
                }
                rows = first;
            }
        }
        return rows;
    }

    private InvalidInputException unknown(GraphValue state, String what) {
        return new InvalidInputException(session.model().path() + ": state '" + state.name() + "', " + state.describe()
                + ": expected a size that follows from the other inputs, found none for " + what
                + "; give the state for the first call as an input");
    }
}
