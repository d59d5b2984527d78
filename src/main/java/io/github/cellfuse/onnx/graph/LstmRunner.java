package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.spi.HalfPrecision;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Runs the LSTMs of a part on a device. Converts between the operator's values and a session's batches; if both have
 * the same order, nothing is copied. Not thread safe.
 */
final class LstmRunner implements AutoCloseable {
    private final LstmPart part;
    private final LstmModel model;
    private final LstmSession session;
    private LstmState states;
    private int lastRows, lastSteps;
    private FloatBuffer scratch = FloatBuffer.allocate(0);

    /**
     * A state of one layer as a value of the graph.
     *
     * @param name the value's name; empty if the state isn't given or needed
     * @param byRow whether the value is {@code [N,D,width]} instead of a session's {@code [D,N,width]}
     * @param directions {@code D}
     * @param width {@code P} for a hidden state, {@code H} for a cell state
     */
    private record StatePort(Optional<String> name, boolean byRow, int directions, int width) {
        long[] shape(int rows) {
            return byRow ? new long[] {rows, directions, width} : new long[] {directions, rows, width};
        }

        int count(int rows) {
            return directions * rows * width;
        }

        /** Returns whether the value has another order than a session's state. */
        boolean isReordered() {
            return byRow && directions > 1;
        }
    }

    /**
     * Makes a runner of {@code part} on {@code engine}, whose model is the part's except for the weights' precision.
     */
    LstmRunner(LstmPart part, LstmEngine engine) {
        this.part = part;
        this.model = part.model();
        session = engine.newSession();
    }

    /** Runs the part on {@code values} and adds its outputs to them. */
    void run(Values values, Memory memory) {
        Tensor x = values.tensor(part.x());
        check("X", x, part.type(), 3);
        if (part.frameCounts().isPresent()) {
            runFrames(x, values, memory);
            return;
        }
        int rowAxis = part.layout() == Layout.TIME_MAJOR ? 1 : 0;
        int rows = size(x.dimension(rowAxis)), steps = size(x.dimension(1 - rowAxis));
        if (x.dimension(2) != model.inputSize()) {
            throw wrong(part.x(), "X", "[..., " + model.inputSize() + "]", x);
        }
        lastRows = rows;
        lastSteps = steps;
        int[] lengths = part.sequenceLens()
                .map(name -> lengths(name, values.tensor(name), rows, steps))
                .orElse(null);
        if (states == null || states.rows() != rows) {
            states = LstmState.zeros(model, rows);
        }
        Optional<ByteBuffer> target =
                part.y().map(name -> memory.place(name, Tensor.size(part.type(), part.outputShape(rows, steps))));
        if (rows == 0 || steps == 0) {
            // Zeros, like the final states of rows of length 0. (ONNX Runtime leaves them undefined, or crashes.)
            Arrays.fill(states.h(), 0);
            Arrays.fill(states.c(), 0);
        } else {
            boolean isInPlace = target.isPresent() && part.type() == ElementType.FLOAT32 && part.hasSessionsOrder();
            FloatBuffer y = isInPlace ? target.get().asFloatBuffer() : scratch(rows, steps);
            LstmInput input = LstmInput.of(part.layout(), floats(x), rows, steps);
            if (lengths != null) {
                input = input.withLengths(lengths);
            }
            input = initialState(values, rows).map(input::withInitialState).orElse(input);
            session.run(input, new LstmOutput(part.layout(), rows, steps, y, states));
            if (lengths != null) {
                clearEmptyRows(lengths);
            }
            if (target.isPresent() && !isInPlace) {
                convert(part.hasSessionsOrder() ? y : reordered(y, rows, steps), target.get());
            }
        }
        part.y()
                .ifPresent(
                        name -> values.put(name, new Tensor(part.type(), target.get(), part.outputShape(rows, steps))));
        putStates(values, memory, rows);
    }

    /**
     * Runs frames as the steps of sequences. X has the rows of the first frame, then those of the second, and so on.
     */
    private void runFrames(Tensor x, Values values, Memory memory) {
        int[] counts = counts(values.tensor(part.frameCounts().get()));
        int rowAxis = part.layout() == Layout.TIME_MAJOR ? 1 : 0;
        int all = size(x.dimension(rowAxis)), steps = size(x.dimension(1 - rowAxis));
        int rows = rows(values), frames = rows == 0 ? 0 : all / rows;
        if (frames * rows != all || x.dimension(2) != model.inputSize()) {
            throw wrong(part.x(), "X", "a multiple of " + rows + " rows of " + model.inputSize() + " features", x);
        }
        if (states == null || states.rows() != rows) {
            states = LstmState.zeros(model, rows);
        }
        lastRows = rows;
        lastSteps = frames * steps;
        FrameOrder order = new FrameOrder(part.layout(), frames, rows, steps);
        FloatBuffer sequences = order.toSequences(floats(x), model.inputSize());
        LstmInput input = LstmInput.of(Layout.TIME_MAJOR, sequences, rows, frames * steps)
                .withInitialState(initialState(values, rows).orElseThrow());
        boolean areFull = Arrays.stream(counts).allMatch(count -> count >= frames);
        if (!areFull || counts.length != rows) {
            int[] lengths = Arrays.stream(counts)
                    .map(count -> Math.max(0, Math.min(count, frames)) * steps)
                    .toArray();
            input = input.withLengths(lengths);
        }
        long[] shape = part.outputShape(all, steps);
        FrameOrder results = new FrameOrder(part.outputLayout(), frames, rows, steps);
        Optional<ByteBuffer> target = part.y().map(name -> memory.place(name, Tensor.size(part.type(), shape)));
        boolean isInPlace = target.isPresent() && part.type() == ElementType.FLOAT32 && results.isSame();
        FloatBuffer y = isInPlace ? target.get().asFloatBuffer() : scratch(rows, frames * steps);
        session.run(input, new LstmOutput(Layout.TIME_MAJOR, rows, frames * steps, y, states));
        if (target.isPresent() && !isInPlace) {
            convert(results.fromSequences(y, model.outputSize()), target.get());
        }
        part.y().ifPresent(name -> values.put(name, new Tensor(part.type(), target.get(), shape)));
        putStates(values, memory, rows);
    }

    private int[] counts(Tensor tensor) {
        check("frames", tensor, ElementType.INT32, 1);
        int[] counts = new int[tensor.elementCount()];
        tensor.ints().get(counts);
        return counts;
    }

    /** Returns the number of rows of the initial states. */
    private int rows(Values values) {
        LstmPart.States first = part.states().get(0);
        Tensor state = values.tensor(first.initialH().orElseThrow());
        check("initial_h", state, part.type(), 3);
        return size(state.dimension(first.byRow() ? 0 : 1));
    }

    /** Returns one line that says how the last batch ran. */
    String explain() {
        String how = lastRows == 0 || lastSteps == 0
                ? "nothing to compute"
                : session.engine().explain(lastRows, lastSteps);
        return part.label() + ": " + how;
    }

    private static int size(long dimension) {
        return (int) dimension; // it fits: a buffer holds the tensor
    }

    /** Returns memory for an output that can't be written in place or isn't needed. */
    private FloatBuffer scratch(int rows, int steps) {
        int count = Sizes.elements(part.label() + ": output", rows, steps, model.outputSize());
        if (scratch.capacity() < count) {
            scratch = Tensor.allocate(Sizes.elements(part.label() + ": output", count, Float.BYTES))
                    .asFloatBuffer();
        }
        return scratch.slice(0, count);
    }

    private int[] lengths(String name, Tensor tensor, int rows, int steps) {
        check("sequence_lens", tensor, ElementType.INT32, 1);
        if (tensor.dimension(0) != rows) {
            throw wrong(name, "sequence_lens", "[" + rows + "]", tensor);
        }
        IntBuffer source = tensor.ints();
        int[] lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            lengths[row] = source.get(row);
            if (lengths[row] < 0 || lengths[row] > steps) {
                throw new InvalidInputException(part.label() + ": sequence_lens '" + name + "'[" + row
                        + "]: expected 0 to " + steps + ", found " + lengths[row]);
            }
        }
        return lengths;
    }

    /** Returns the states before the first step; empty if they are zeros. */
    private Optional<LstmState> initialState(Values values, int rows) {
        boolean isGiven = part.states().stream()
                .anyMatch(layer ->
                        layer.initialH().isPresent() || layer.initialC().isPresent());
        if (!isGiven) {
            return Optional.empty();
        }
        LstmState initial = LstmState.zeros(model, rows);
        int h = 0, c = 0;
        for (int k = 0; k < model.layerCount(); k++) {
            LstmLayer layer = model.layer(k);
            LstmPart.States names = part.states().get(k);
            StatePort hidden =
                    new StatePort(names.initialH(), names.byRow(), layer.directionCount(), layer.stateSize());
            StatePort cell = new StatePort(names.initialC(), names.byRow(), layer.directionCount(), layer.hiddenSize());
            readState("initial_h", hidden, values, rows, initial.h(), h);
            readState("initial_c", cell, values, rows, initial.c(), c);
            h += layer.directionCount() * rows * layer.stateSize();
            c += layer.directionCount() * rows * layer.hiddenSize();
        }
        return Optional.of(initial);
    }

    /** Copies a state, if it is given, to {@code target} from index {@code at} on, as {@code [D,N,width]}. */
    private void readState(String what, StatePort port, Values values, int rows, float[] target, int at) {
        if (port.name().isEmpty()) {
            return;
        }
        String name = port.name().get();
        Tensor tensor = values.tensor(name);
        check(what, tensor, part.type(), 3);
        long[] expected = port.shape(rows);
        if (!Arrays.equals(expected, tensor.shape())) {
            throw wrong(name, what, Arrays.toString(expected), tensor);
        }
        FloatBuffer source = floats(tensor);
        int directions = port.directions(), width = port.width();
        if (port.isReordered()) {
            for (int row = 0; row < rows; row++) {
                for (int d = 0; d < directions; d++) {
                    source.get((row * directions + d) * width, target, at + (d * rows + row) * width, width);
                }
            }
        } else {
            source.get(0, target, at, port.count(rows));
        }
    }

    /** Clears the final states of rows without steps: in ONNX they are zeros, not the initial states. */
    private void clearEmptyRows(int[] lengths) {
        for (int row = 0; row < lengths.length; row++) {
            if (lengths[row] == 0) {
                int h = 0, c = 0;
                for (LstmLayer layer : model.layers()) {
                    for (int d = 0; d < layer.directionCount(); d++) {
                        h = clear(states.h(), h, row, layer.stateSize());
                        c = clear(states.c(), c, row, layer.hiddenSize());
                    }
                }
            }
        }
    }

    private int clear(float[] values, int at, int row, int width) {
        Arrays.fill(values, at + row * width, at + (row + 1) * width, 0);
        return at + states.rows() * width;
    }

    /** Returns a session's output {@code [T,N,D·P]} or {@code [N,T,D·P]} in the order of y. */
    private FloatBuffer reordered(FloatBuffer y, int rows, int steps) {
        int directions = model.last().directionCount(), width = model.last().stateSize();
        boolean isByTime = part.layout() == Layout.TIME_MAJOR;
        boolean isApart = !part.isMerged() && part.outputLayout() == Layout.TIME_MAJOR;
        FloatBuffer ordered = FloatBuffer.allocate(y.limit());
        for (int step = 0; step < steps; step++) {
            for (int row = 0; row < rows; row++) {
                int from = (isByTime ? step * rows + row : row * steps + step) * directions;
                int merged = part.outputLayout() == Layout.TIME_MAJOR ? step * rows + row : row * steps + step;
                for (int d = 0; d < directions; d++) {
                    int to = isApart ? (step * directions + d) * rows + row : merged * directions + d;
                    ordered.put(to * width, y, (from + d) * width, width);
                }
            }
        }
        return ordered;
    }

    private void putStates(Values values, Memory memory, int rows) {
        int h = 0, c = 0;
        for (int k = 0; k < model.layerCount(); k++) {
            LstmLayer layer = model.layer(k);
            LstmPart.States names = part.states().get(k);
            StatePort hidden = new StatePort(names.yH(), names.byRow(), layer.directionCount(), layer.stateSize());
            StatePort cell = new StatePort(names.yC(), names.byRow(), layer.directionCount(), layer.hiddenSize());
            h = putState(hidden, values, memory, rows, states.h(), h);
            c = putState(cell, values, memory, rows, states.c(), c);
        }
    }

    /** Adds a state that is needed to {@code values}, and returns the index of the next state in {@code source}. */
    private int putState(StatePort port, Values values, Memory memory, int rows, float[] source, int at) {
        int directions = port.directions(), width = port.width(), count = port.count(rows);
        if (port.name().isPresent()) {
            FloatBuffer state = FloatBuffer.wrap(source, at, count).slice();
            if (port.isReordered()) {
                FloatBuffer ordered = FloatBuffer.allocate(count);
                for (int row = 0; row < rows; row++) {
                    for (int d = 0; d < directions; d++) {
                        ordered.put((row * directions + d) * width, state, (d * rows + row) * width, width);
                    }
                }
                state = ordered;
            }
            String name = port.name().get();
            long[] shape = port.shape(rows);
            ByteBuffer target = memory.place(name, Tensor.size(part.type(), shape));
            convert(state, target);
            values.put(name, new Tensor(part.type(), target, shape));
        }
        return at + count;
    }

    /** Returns the values as float32: a view if they already are, otherwise a copy. */
    private static FloatBuffer floats(Tensor tensor) {
        ByteBuffer bytes = tensor.memory();
        FloatBuffer floats = FloatBuffer.allocate(tensor.type() == ElementType.FLOAT32 ? 0 : tensor.elementCount());
        switch (tensor.type()) {
            case FLOAT32 -> {
                return bytes.asFloatBuffer();
            }
            case FLOAT64 -> {
                for (int k = 0; k < floats.limit(); k++) {
                    floats.put(k, (float) bytes.getDouble(k * Double.BYTES));
                }
            }
            case FLOAT16 -> {
                for (int k = 0; k < floats.limit(); k++) {
                    floats.put(k, HalfPrecision.float16ToFloat(bytes.getShort(k * Short.BYTES)));
                }
            }
            default -> {
                for (int k = 0; k < floats.limit(); k++) {
                    floats.put(k, HalfPrecision.bfloat16ToFloat(bytes.getShort(k * Short.BYTES)));
                }
            }
        }
        return floats;
    }

    /** Writes floats in the graph's type. */
    private void convert(FloatBuffer source, ByteBuffer target) {
        switch (part.type()) {
            case FLOAT32 -> target.asFloatBuffer().put(0, source, 0, source.limit());
            case FLOAT64 -> {
                for (int k = 0; k < source.limit(); k++) {
                    target.putDouble(k * Double.BYTES, source.get(k));
                }
            }
            case FLOAT16 -> {
                for (int k = 0; k < source.limit(); k++) {
                    target.putShort(k * Short.BYTES, HalfPrecision.floatToFloat16(source.get(k)));
                }
            }
            default -> {
                for (int k = 0; k < source.limit(); k++) {
                    target.putShort(k * Short.BYTES, HalfPrecision.floatToBfloat16(source.get(k)));
                }
            }
        }
    }

    private void check(String what, Tensor tensor, ElementType type, int rank) {
        if (tensor.type() != type || tensor.rank() != rank) {
            throw new InvalidInputException(
                    part.label() + ": " + what + ": expected " + type + " of " + rank + " dimensions, found " + tensor);
        }
    }

    private InvalidInputException wrong(String name, String what, String expected, Tensor found) {
        return new InvalidInputException(part.label() + ": " + what + " '" + name + "': expected shape " + expected
                + ", found " + Arrays.toString(found.shape()));
    }

    @Override
    public void close() {
        session.close();
    }
}
