package io.github.cellfuse.cli.graph;

import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.batch.DeviceNeed;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.onnx.shape.RowProof;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The rows of a run, and the number of rows to compute at a time.
 *
 * @param axes the axes of the rows; empty if everything must be computed in one piece
 * @param count the number of rows; 1 if there are no axes
 * @param chunk the largest number of rows at a time; the last chunk may have more, so that no chunk has too few
 * @param fitting the number of rows of one call that fit in the memory for a chunk
 * @param isGiven whether the axes are the user's word
 * @param reason why everything must be computed in one piece
 */
record GraphRows(Optional<RowAxes> axes, long count, long chunk, long fitting, boolean isGiven, String reason) {
    /** The memory for the inputs of the graph and for its LSTMs. */
    private static final long CHUNK_BYTES =
            Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4);

    /** One chunk is read while another is computed. */
    private static final int COPIES = 2;

    /**
     * Finds the rows of a graph, or takes the user's word for them.
     *
     * @param outputs the outputs that are written or passed on as states
     * @param batch the number of rows at a time, or null to choose one
     */
    static GraphRows of(
            OnnxModel model, GraphInputs inputs, OnnxOptions options, List<GraphValue> outputs, Integer batch) {
        boolean areGiven = !options.rows().isEmpty(), areSingle = inputs.areSingleRows();
        RowProof proof = areGiven
                ? new RowProof(Optional.of(given(model, inputs, options, outputs)), "")
                : proof(model, inputs, options.states());
        Optional<RowAxes> axes = areSingle ? proof.axes().map(all -> ofFiles(all, inputs.singleRows())) : proof.axes();
        Optional<Mismatch> mismatch = axes.flatMap(found -> mismatch(inputs.all(), found));
        if (mismatch.filter(found -> areGiven || areSingle || found.isSameDimension())
                .isPresent()) {
            throw mismatch.get().error();
        }
        if (axes.isPresent() && mismatch.isEmpty()) {
            long count = count(inputs.all(), axes.get());
            long fitting = areSingle ? 1 : CHUNK_BYTES / Math.max(1, bytesPerRow(model, inputs, axes.get(), count));
            return new GraphRows(axes, count, chunk(inputs, axes.get(), count, batch, fitting), fitting, areGiven, "");
        }
        String reason = mismatch.map(Mismatch::reason).orElse(proof.reason());
        if (areSingle) {
            throw inputs.madeForOneRow(reason);
        }
        if (batch != null) {
            throw new InvalidInputException("--batch: expected a model whose rows don't depend on each other, found "
                    + model.path() + ": " + reason + "; if its rows are independent nevertheless, name their axes: "
                    + "--rows " + example(inputs));
        }
        return new GraphRows(Optional.empty(), 1, 1, 1, false, reason);
    }

    private static RowAxes given(OnnxModel model, GraphInputs inputs, OnnxOptions options, List<GraphValue> outputs) {
        RowAxes axes = GivenRows.of(model, options.rows(), outputs);
        inputs.singleRows().forEach((name, axis) -> {
            if (!axis.equals(axes.inputs().get(name))) {
                throw inputs.madeForOneRow("--rows doesn't name axis " + axis + " of '" + name + "'");
            }
        });
        return axes;
    }

    /** Returns the same axes, but only of inputs whose files have a row for each run; other files suit each run. */
    private static RowAxes ofFiles(RowAxes axes, Map<String, Integer> inputs) {
        return new RowAxes(inputs, axes.outputs(), axes.fewest());
    }

    private static long chunk(GraphInputs inputs, RowAxes axes, long rows, Integer batch, long fitting) {
        if (inputs.areSingleRows()) {
            if (batch != null && batch > 1) {
                throw new InvalidInputException(
                        "--batch: expected 1, because the model is made for one row, found " + batch);
            }
            return 1;
        }
        long fewest = axes.fewest();
        if (batch != null && batch < fewest) {
            throw new InvalidInputException("--batch: expected at least " + Numbers.count(fewest, "row")
                    + ", because the model computes a single row in another way, found " + batch);
        }
        long chunk = batch != null ? batch : fitting;
        return Math.max(fewest, Math.min(chunk, Math.max(1, rows)));
    }

    private static String example(GraphInputs inputs) {
        return inputs.all().isEmpty()
                ? "NAME=AXIS"
                : inputs.all().stream().map(input -> input.name() + "=AXIS").collect(Collectors.joining(","));
    }

    private static RowProof proof(OnnxModel model, GraphInputs inputs, Map<String, String> states) {
        if (inputs.areSingleRows()) {
            return model.singleRow(inputs.singleRows()); // a run has one row, so its states are those of this row
        }
        RowProof proof = model.rows(inputs.shapes());
        if (proof.axes().isEmpty()) {
            return proof;
        }
        for (Map.Entry<String, String> state : states.entrySet()) {
            Integer before = proof.axes().get().inputs().get(state.getKey());
            Integer after = proof.axes().get().outputs().get(state.getValue());
            if (before == null ? after != null : !before.equals(after)) {
                return new RowProof(
                        Optional.empty(),
                        "output '" + state.getValue() + "' doesn't hold the rows along the same axis as state '"
                                + state.getKey() + "'");
            }
        }
        return proof;
    }

    /**
     * Two inputs that differ in their number of rows.
     *
     * @param symbol the dimension that the model declares for both; empty if it doesn't declare the same one
     */
    private record Mismatch(GraphInput first, long expected, GraphInput other, long found, String symbol) {
        boolean isSameDimension() {
            return !symbol.isEmpty();
        }

        String reason() {
            return "inputs '" + first.name() + "' and '" + other.name() + "' have different numbers of rows, "
                    + expected + " and " + found;
        }

        InvalidInputException error() {
            return new InvalidInputException("input '" + other.name() + "': expected " + Numbers.count(expected, "row")
                    + (symbol.isEmpty() ? "" : " (" + symbol + ")") + " as input '" + first.name() + "' has, found "
                    + found);
        }
    }

    private static Optional<Mismatch> mismatch(List<GraphInput> inputs, RowAxes axes) {
        long count = count(inputs, axes);
        GraphInput first = null;
        for (GraphInput input : inputs) {
            Integer axis = axes.inputs().get(input.name());
            if (axis == null) {
                continue;
            }
            first = first == null ? input : first;
            if (input.rows(axis) != count) {
                String symbol = symbol(input, axis);
                boolean isSame = symbol.equals(symbol(first, axes.inputs().get(first.name())));
                return Optional.of(new Mismatch(first, count, input, input.rows(axis), isSame ? symbol : ""));
            }
        }
        return Optional.empty();
    }

    /** Returns the number of rows of the first input that holds some; 1 if none does. */
    private static long count(List<GraphInput> inputs, RowAxes axes) {
        return inputs.stream()
                .filter(input -> axes.inputs().containsKey(input.name()))
                .findFirst()
                .map(input -> input.rows(axes.inputs().get(input.name())))
                .orElse(1L);
    }

    private static String symbol(GraphInput input, int axis) {
        return input.value().dimensions().map(all -> all.get(axis).symbol()).orElse("");
    }

    /** Returns the bytes per row of one call: its inputs, and what the LSTMs take over all steps. */
    private static long bytesPerRow(OnnxModel model, GraphInputs inputs, RowAxes axes, long rows) {
        Map<String, long[]> shapes = inputs.shapes();
        OnnxModel known = model.withShapes(shapes);
        long bytes = 0;
        for (GraphInput input : inputs.all()) {
            Integer rowAxis = axes.inputs().get(input.name());
            bytes += rowAxis != null ? COPIES * (input.bytes() / Math.max(1, rows)) : 0;
        }
        return bytes
                + lstms(known, shapes, longest(inputs, axes)).stream()
                        .mapToLong(lstm -> Float.BYTES * Chunking.floats(lstm.model(), lstm.steps()))
                        .sum();
    }

    /**
     * Returns the LSTMs with their numbers of steps.
     *
     * @param known the model with the shapes of its inputs
     * @param otherwise the steps of an LSTM of which nothing tells the number
     */
    private static List<DeviceNeed> lstms(OnnxModel known, Map<String, long[]> shapes, long otherwise) {
        List<LstmPart> lstms = known.lstms();
        List<Long> steps = known.steps(shapes);
        return IntStream.range(0, lstms.size())
                .mapToObj(k -> new DeviceNeed(lstms.get(k).model(), steps.get(k) < 0 ? otherwise : steps.get(k)))
                .toList();
    }

    /**
     * Returns the same with smaller chunks, if the LSTMs of a chunk wouldn't fit in the memory of one of the devices.
     */
    GraphRows limitedTo(List<DeviceInfo.Memory> devices, OnnxModel model, GraphInputs inputs) {
        if (axes.isEmpty() || devices.isEmpty() || chunk <= fewest()) {
            return this; // rows that are computed one by one, say, whose files have other shapes than a call
        }
        Map<String, long[]> shapes = inputs.shapes();
        List<DeviceNeed> lstms = lstms(model.withShapes(shapes), shapes, longest(inputs, axes.get()));
        long most = devices.stream()
                .mapToLong(memory -> DeviceNeed.mostRows(lstms, memory))
                .min()
                .orElseThrow();
        long limited = Math.max(fewest(), Math.min(chunk, most));
        return new GraphRows(axes, count, limited, Math.min(fitting, limited), isGiven, reason);
    }

    /** Returns the largest free dimension of an input other than the rows: the number of steps if nothing tells it. */
    private static long longest(GraphInputs inputs, RowAxes axes) {
        long longest = 1;
        for (GraphInput input : inputs.all()) {
            Integer rowAxis = axes.inputs().get(input.name());
            List<GraphValue.Dimension> dimensions = input.value().dimensions().orElse(List.of());
            for (int axis = 0; axis < dimensions.size(); axis++) {
                boolean isRows = rowAxis != null && rowAxis == axis;
                if (!dimensions.get(axis).isFixed() && !isRows) {
                    longest = Math.max(longest, input.shape()[axis]);
                }
            }
        }
        return longest;
    }

    /** Returns the axis of an input that holds the rows, if it does. */
    Optional<Integer> inputAxis(String name) {
        return axes.map(found -> found.inputs().get(name));
    }

    /** Returns the axis of an output that holds the rows, if it does. */
    Optional<Integer> outputAxis(String name) {
        return axes.map(found -> found.outputs().get(name));
    }

    /** Returns the fewest rows that can be computed at a time. */
    long fewest() {
        return axes.map(RowAxes::fewest).orElse(1L);
    }

    /**
     * Returns a number of rows whose results have the shape of all results, except for their number of rows. If that is
     * the user's word alone, the shape may follow from the values in a chunk.
     */
    long typical() {
        return isGiven ? size(0) : fewest();
    }

    /** Returns the same with smaller chunks, if otherwise {@code devices} devices couldn't share them evenly. */
    GraphRows sharedBy(int devices) {
        if (devices == 1 || axes.isEmpty()) {
            return this;
        }
        long most = Math.max(fewest(), Math.min(chunk, Chunking.shared(count, devices)));
        return new GraphRows(axes, count, most, fitting, isGiven, reason);
    }

    /** Returns the number of chunks. */
    long chunks() {
        return Math.max(1, count / chunk + (count % chunk >= fewest() ? 1 : 0));
    }

    /** Returns the number of rows in a chunk. */
    long size(long index) {
        return index == chunks() - 1 ? count - index * chunk : chunk;
    }
}
