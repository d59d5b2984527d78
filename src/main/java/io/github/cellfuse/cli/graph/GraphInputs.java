package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The inputs of a graph that are read from files. Owns them.
 *
 * @param all the inputs in the model's order
 * @param states the names of the inputs that are states
 */
record GraphInputs(List<GraphInput> all, Set<String> states) implements AutoCloseable {

    /**
     * Opens the files, and rejects those that don't fit the model.
     *
     * @param only the file that was given without the name of an input, or null
     */
    static GraphInputs open(OnnxModel model, OnnxOptions options, InputFile only) {
        Set<String> states = options.states().keySet();
        Map<String, InputFile> files = files(model, options, only);
        Map<String, Frames> frames = frames(model, options, files);
        List<GraphInput> all = new ArrayList<>();
        try {
            for (GraphValue input : model.inputs()) {
                InputFile file = files.get(input.name());
                if (file != null) {
                    all.add(opened(input, file, Optional.ofNullable(frames.get(input.name()))));
                }
            }
        } catch (RuntimeException | Error e) {
            all.forEach(GraphInput::close);
            throw e;
        }
        return new GraphInputs(all, states);
    }

    private static Map<String, InputFile> files(OnnxModel model, OnnxOptions options, InputFile only) {
        Map<String, InputFile> files = new LinkedHashMap<>(options.inputs());
        List<GraphValue> open = model.inputs().stream()
                .filter(input ->
                        !files.containsKey(input.name()) && !options.states().containsKey(input.name()))
                .toList();
        if (only != null) {
            if (model.inputs().isEmpty()) {
                throw new InvalidInputException(only + ": expected no file of an input, because " + model.path()
                        + " needs no input for the chosen outputs and bound inputs, found a file without a name"
                        + (model.defaults().isEmpty()
                                ? ""
                                : "; to replace a default, use --input NAME=F for " + names(model.defaults())));
            }
            if (open.size() != 1) {
                throw new InvalidInputException(only + ": expected --input NAME=F for each of the inputs "
                        + names(model.inputs()) + ", found a file without a name");
            }
            files.put(open.get(0).name(), only);
            open = List.of();
        }
        if (!open.isEmpty()) {
            GraphValue first = open.get(0);
            throw new InvalidInputException(model.path() + ": input '" + first.name() + "', " + first.describe()
                    + ": expected --input " + first.name() + "=F.npy (or --set), found none");
        }
        return files;
    }

    private static GraphInput opened(GraphValue input, InputFile file, Optional<Frames> frames) {
        NpyArray array = file.open();
        try {
            return new GraphInput(input, array, frames);
        } catch (RuntimeException e) {
            array.close();
            throw e;
        }
    }

    /** Returns the frames of each input. Frames without a name belong to the only input that isn't a state. */
    private static Map<String, Frames> frames(OnnxModel model, OnnxOptions options, Map<String, InputFile> files) {
        Map<String, Frames> frames = new HashMap<>();
        List<String> data = files.keySet().stream()
                .filter(name -> !options.states().containsKey(name))
                .toList();
        options.frames().forEach((name, axis) -> {
            if (!name.isEmpty()) {
                if (options.states().containsKey(name)) {
                    throw new InvalidInputException(
                            "--frames " + name + ": a state has no frames; --state already names this input");
                }
                if (!data.contains(name)) {
                    throw new InvalidInputException("--frames " + name
                            + ": expected an input that is read from a file, found no --input " + name + "=F");
                }
                frames.put(name, axis);
            } else if (data.size() == 1) {
                frames.put(data.get(0), axis);
            } else {
                throw new InvalidInputException(
                        "--frames: name the input, NAME=AXIS, because there are several: " + String.join(", ", data));
            }
        });
        return frames;
    }

    /** Returns the names of values, separated by commas. */
    static String names(List<GraphValue> values) {
        return values.isEmpty() ? "none" : values.stream().map(GraphValue::name).collect(Collectors.joining(", "));
    }

    /** Returns the number of calls: the number of frames of the inputs, or 1 without frames. */
    long calls() {
        GraphInput first = null;
        for (GraphInput input : all) {
            if (input.calls().isPresent()) {
                if (first != null && !first.calls().equals(input.calls())) {
                    throw new InvalidInputException(
                            "--frames: expected the same number of calls for every input, found "
                                    + first.calls().get() + " for '" + first.name() + "' and "
                                    + input.calls().get() + " for '" + input.name() + "'");
                }
                first = first == null ? input : first;
            }
        }
        if (first == null) {
            return 1;
        }
        if (first.calls().get() == 0) {
            throw new InvalidInputException(
                    "--frames: expected at least one call for '" + first.name() + "', found none");
        }
        return first.calls().get();
    }

    /** Returns whether every input with frames holds rows as well. */
    boolean haveFramesRows(GraphRows rows) {
        return all.stream()
                .filter(input -> input.calls().isPresent())
                .allMatch(input -> rows.inputAxis(input.name()).isPresent());
    }

    /** Returns the axis along which the results of several calls are joined; empty without frames. */
    Optional<FrameAxis> frameAxis() {
        return all.stream()
                .filter(input -> input.calls().isPresent())
                .map(GraphInput::outputAxis)
                .findFirst();
    }

    /**
     * Returns the data of some calls with some of the rows. Initial states are part of the first call only.
     *
     * @param calls the number of calls, which are one after the other along the axis of the rows
     * @param memory holds the data until it is used again; see {@link #newMemory}
     */
    Map<String, Tensor> read(
            GraphRows rows,
            long firstRow,
            long count,
            long firstCall,
            int calls,
            Map<String, GraphInput.Memory> memory) {
        Map<String, Tensor> given = new HashMap<>();
        for (GraphInput input : all) {
            Optional<Integer> axis = rows.inputAxis(input.name());
            GraphInput.Memory own = memory.get(input.name());
            if (!states.contains(input.name())) {
                given.put(input.name(), input.read(axis, firstRow, count, firstCall, axis.isEmpty() ? 1 : calls, own));
            } else if (firstCall == 0) {
                given.put(input.name(), input.read(axis, firstRow, count, 0, 1, own));
            }
        }
        return given;
    }

    /** Returns memory for the data of some calls. It grows when it is used. */
    Map<String, GraphInput.Memory> newMemory() {
        return all.stream().collect(Collectors.toMap(GraphInput::name, input -> new GraphInput.Memory()));
    }

    /** Returns whether the files have several rows for inputs that the model declares for one row. */
    boolean areSingleRows() {
        return !singleRows().isEmpty();
    }

    /** Returns the axes along which files have several rows for inputs that the model declares for one row. */
    Map<String, Integer> singleRows() {
        Map<String, Integer> axes = new LinkedHashMap<>();
        all.forEach(input -> input.singleRow().ifPresent(axis -> axes.put(input.name(), axis)));
        return axes;
    }

    /** Returns the inputs whose files don't have several rows, if others have. */
    List<String> sameForEachRow() {
        return areSingleRows()
                ? all.stream()
                        .filter(input -> input.singleRow().isEmpty())
                        .map(GraphInput::name)
                        .toList()
                : List.of();
    }

    /** Returns the error for files with several rows that can't be computed one by one. */
    InvalidInputException madeForOneRow(String reason) {
        GraphInput first = all.stream()
                .filter(input -> input.singleRow().isPresent())
                .findFirst()
                .orElseThrow();
        String advice = first.calls().isPresent()
                ? ""
                : "; for a run for each index of axis " + first.singleRow().get() + " in order, use --frames "
                        + (all.size() == 1 ? "" : first.name() + "=")
                        + first.singleRow().get()
                        + ", with --state IN=OUT for what it passes on";
        return first.wrongShape(", and the rows can't be computed one by one: " + reason + advice);
    }

    /** Returns the shape of each input in one call with all rows. */
    Map<String, long[]> shapes() {
        Map<String, long[]> shapes = new HashMap<>();
        all.forEach(input -> shapes.put(input.name(), input.shape()));
        return shapes;
    }

    @Override
    public void close() {
        all.forEach(GraphInput::close);
    }
}
