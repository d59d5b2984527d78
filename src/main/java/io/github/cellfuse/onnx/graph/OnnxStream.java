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
import java.util.Optional;
import java.util.Set;

/**
 * Runs a model call by call and passes its states along: outputs of a call become inputs of the next. This is for
 * models that take and return their state instead of keeping it. Each row of a batch is a separate stream. Not thread
 * safe. The stream doesn't own the session, which may run other inputs between the calls.
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
     * Makes a stream. A state begins with its input's default, or with zeros if the input has none.
     *
     * @param states for each state, the name of its input and that of the output which becomes this input in the next
     *     call
     * @throws InvalidInputException when there is no such input or output, when the types of the two differ, or when an
     *     output becomes two states
     */
    public OnnxStream(OnnxSession session, Map<String, String> states) {
        this.session = session;
        this.states = new LinkedHashMap<>(states);
        OnnxModel model = session.model();
        Set<String> taken = new HashSet<>();
        states.forEach((name, from) -> {
            GraphValue input = model.input(name);
            GraphValue output = OnnxModel.find(model.path(), "output", from, model.outputs());
            if (!input.typeName().equals(output.typeName())) {
                throw new InvalidInputException(model.path() + ": state " + name + "=" + from
                        + ": expected an input and an output of the same type, found " + input.describe() + " and "
                        + output.describe());
            }
            if (!taken.add(from)) {
                throw new InvalidInputException(
                        model.path() + ": output '" + from + "': expected one state from this output, found two");
            }
        });
    }

    /**
     * Runs the next call.
     *
     * @param inputs the inputs by name; states may be omitted. A state that is given replaces the current one, so a
     *     stream can begin with any state
     * @return all outputs by name, including the states, in memory that the next call overwrites
     * @throws InvalidInputException when an input is missing, unknown, or has the wrong type or shape, or when the size
     *     of a state in the first call doesn't follow from the inputs
     * @throws io.github.cellfuse.CellFuseException when ONNX Runtime or a device fails
     * @throws IllegalStateException when the session is closed
     */
    public Map<String, Tensor> run(Map<String, Tensor> inputs) {
        return run(inputs, new boolean[0], Map.of());
    }

    /**
     * Runs the next call of streams of which some have ended: their states stay as they are, and their results have no
     * meaning. Otherwise the same as {@link #run(Map)}.
     *
     * @param isEnded whether the stream in each row has ended; none if no stream has
     * @param rowAxes for each state, by the name of its input, the axis along which it holds the rows
     */
    public Map<String, Tensor> run(Map<String, Tensor> inputs, boolean[] isEnded, Map<String, Integer> rowAxes) {
        Map<String, Tensor> all = new HashMap<>(inputs);
        for (String name : states.keySet()) {
            if (!all.containsKey(name)) {
                all.put(name, values.computeIfAbsent(name, n -> initial(n, inputs)));
            }
        }
        Map<String, Tensor> results = session.runInPlace(all);
        states.forEach((name, from) -> {
            if (isEnded.length > 0 && rowAxes.containsKey(name)) {
                keep(name, all.get(name), results.get(from), isEnded, rowAxes.get(name));
            } else {
                keep(name, results.get(from));
            }
        });
        return results;
    }

    /** Starts new streams: the next call begins with the states among its inputs, with defaults, or with zeros. */
    public void reset() {
        values.clear();
    }

    /** Copies a state out of the session's memory, which the next call overwrites while it reads the state. */
    private void keep(String name, Tensor result) {
        Tensor own = values.get(name);
        if (own == null || own.type() != result.type() || !Arrays.equals(own.shape(), result.shape())) {
            values.put(name, copy(result));
        } else {
            own.memory().put(result.bytes());
        }
    }

    /** Copies the rows of a state that haven't ended. */
    private void keep(String name, Tensor before, Tensor result, boolean[] isEnded, int axis) {
        Tensor own = values.get(name);
        if (own != before) {
            own = copy(before);
            values.put(name, own);
        }
        if (!Arrays.equals(own.shape(), result.shape())) {
            throw new InvalidInputException(session.model().path() + ": state '" + name + "': expected "
                    + own.describe() + " from each call, found " + result);
        }
        ByteBuffer target = own.memory(), source = result.bytes();
        int rows = isEnded.length, outer = 1;
        for (int k = 0; k < axis; k++) {
            outer *= (int) own.dimension(k);
        }
        int size = source.remaining() / Math.max(1, outer * rows);
        for (int k = 0; k < outer * rows; k++) {
            if (!isEnded[k % rows]) {
                target.put(k * size, source, k * size, size);
            }
        }
    }

    /** Returns the current state of an input that is a state; empty before the first call. The memory is shared. */
    public Optional<Tensor> state(String name) {
        return Optional.ofNullable(values.get(name));
    }

    private static Tensor copy(Tensor tensor) {
        Tensor copy = Tensor.zeros(tensor.type(), tensor.shape());
        copy.memory().put(tensor.bytes());
        return copy;
    }

    /** Returns the state before the first call. A default has its own shape, as in ONNX Runtime. */
    private Tensor initial(String name, Map<String, Tensor> inputs) {
        return session.model().defaultOf(name).map(OnnxStream::copy).orElseGet(() -> zeros(name, inputs));
    }

    private Tensor zeros(String name, Map<String, Tensor> inputs) {
        OnnxModel model = session.model();
        GraphValue input = model.input(name);
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
            shape[open.get(0)] = rows(inputs); // one stream for each row
        } else if (!open.isEmpty()) {
            throw unknown(input, "dimension " + open.get(0));
        }
        ElementType type = input.type().orElseThrow(() -> unknown(input, "its type"));
        return Tensor.zeros(type, shape);
    }

    /** Returns the number of rows: the first dimension of the inputs that aren't states, or -1 if they differ in it. */
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
                + "; pass the state as an input of the first call");
    }
}
