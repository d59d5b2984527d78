package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.SequenceModel;
import io.github.cellfuse.onnx.graph.SequencePlan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The calls of a graph: one, or one for each frame of the streams. Frames are computed many at once where that is
 * possible.
 *
 * @param model the model that is called frame by frame
 * @param states the output that becomes each state in the next call
 * @param count the number of calls for each row
 * @param plan how to compute many frames at once, or why that isn't possible
 * @param lengths the number of frames of each stream
 */
record GraphCalls(
        OnnxModel model,
        GraphInputs inputs,
        GraphRows rows,
        Map<String, String> states,
        long count,
        SequencePlan plan,
        StreamLengths lengths) {

    /**
     * Plans the calls.
     *
     * @param lengths the file with the number of frames of each stream, or null
     */
    static GraphCalls of(
            OnnxModel model, GraphInputs inputs, GraphRows rows, Map<String, String> states, InputFile lengths) {
        long count = inputs.calls();
        return new GraphCalls(
                model,
                inputs,
                rows,
                states,
                count,
                plan(model, inputs, rows, states, count),
                lengths(model, inputs, rows, count, lengths));
    }

    /** Returns how to run many frames at once, or why that isn't possible. */
    private static SequencePlan plan(
            OnnxModel model, GraphInputs inputs, GraphRows rows, Map<String, String> states, long count) {
        Optional<String> obstacle = obstacle(inputs, rows, states, count);
        if (obstacle.isPresent()) {
            return new SequencePlan(Optional.empty(), obstacle.get());
        }
        Map<String, long[]> shapes = inputs.shapes();
        rows.axes().get().inputs().forEach((name, axis) -> {
            if (shapes.containsKey(name)) {
                shapes.get(name)[axis] = -1;
            }
        });
        return model.withShapes(shapes).sequences(states, rows.axes().get());
    }

    private static Optional<String> obstacle(
            GraphInputs inputs, GraphRows rows, Map<String, String> states, long count) {
        if (states.isEmpty()) {
            return Optional.of("there is no state (--state)");
        }
        if (count == 1) {
            return Optional.of("there is only one");
        }
        if (inputs.areSingleRows()) {
            return Optional.of("the model is made for one stream");
        }
        if (rows.axes().isEmpty()) {
            return Optional.of(rows.reason());
        }
        return inputs.haveFramesRows(rows) ? Optional.empty() : Optional.of("an input with frames has no rows");
    }

    private static StreamLengths lengths(
            OnnxModel model, GraphInputs inputs, GraphRows rows, long count, InputFile file) {
        if (file != null && inputs.frameAxis().isEmpty()) {
            throw new InvalidInputException("--lengths: expected a bare LSTM, or a graph that runs frame by frame"
                    + " (--frames), found " + model.path());
        }
        if (file != null && rows.axes().isEmpty()) {
            throw new InvalidInputException(
                    "--lengths: expected streams in rows that don't depend on each other, found " + model.path() + ": "
                            + rows.reason());
        }
        return StreamLengths.read(file, rows.count(), count);
    }

    /** Returns the same calls with other chunks. */
    GraphCalls with(GraphRows other) {
        return new GraphCalls(model, inputs, other, states, count, plan, lengths);
    }

    /** Returns the model to open: that for many frames at once, if there is one. */
    OnnxModel opened() {
        return plan.model().map(SequenceModel::model).orElse(model);
    }

    /** Returns whether a chunk is one call without a state: its inputs can be read ahead, and its results kept. */
    boolean isOne() {
        return count == 1 && states.isEmpty() && inputs.frameAxis().isEmpty();
    }

    /** Returns new arrays for outputs. */
    List<GraphArray> arrays(List<GraphValue> outputs) {
        return outputs.stream().map(this::array).toList();
    }

    private GraphArray array(GraphValue output) {
        Optional<FrameAxis> stacked = states.containsValue(output.name()) ? Optional.empty() : inputs.frameAxis();
        return new GraphArray(output, rows.outputAxis(output.name()), rows.count(), stacked, count);
    }

    /** Returns the error for a graph that is too large for the memory in one piece. */
    CellFuseException tooLarge(OutOfMemoryError cause) {
        CellFuseException error = new CellFuseException(model.path()
                + ": out of memory, and the rows can't be computed in pieces: " + rows.reason()
                + "; give Java more memory, such as CELLFUSE_JAVA_OPTS=-Xmx8g, or, if the rows are independent"
                + " nevertheless, name their axes with --rows");
        error.addSuppressed(cause);
        return error;
    }

    /** Returns the groups of calls that are computed at once. */
    FrameGroups groups(long streams) {
        return plan.model().isEmpty()
                ? new FrameGroups(count, 1, 1)
                : FrameGroups.of(count, streams, rows.axes().get().fewest(), rows.fitting());
    }

    /** Returns the axis along which each state holds the rows: that of the output from which it comes. */
    Map<String, Integer> stateAxes() {
        Map<String, Integer> axes = new HashMap<>();
        states.forEach((input, output) -> rows.outputAxis(output).ifPresent(axis -> axes.put(input, axis)));
        return axes;
    }

    /** Returns the defaults of the states that have one. */
    List<DefaultState> defaults() {
        return model.inputs().stream()
                .filter(input -> states.containsKey(input.name()))
                .flatMap(input -> model.defaultOf(input.name()).stream().map(value -> new DefaultState(input, value)))
                .toList();
    }
}
