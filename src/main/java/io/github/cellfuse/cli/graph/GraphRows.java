package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.onnx.shape.RowProof;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rows of a run, and the number of rows to compute at a time.
 *
 * @param axes the axes of the rows; empty if everything must be computed in one piece
 * @param count the number of rows; 1 if there are no axes
 * @param chunk the largest number of rows at a time; the last chunk may have more, so that no chunk has too few
 * @param fitting the number of rows of one call that fit in the memory for a chunk
 * @param reason why everything must be computed in one piece
 */
record GraphRows(Optional<RowAxes> axes, long count, long chunk, long fitting, String reason) {
    /** The memory for the inputs of the graph and the inputs and outputs of its LSTMs. */
    private static final long CHUNK_BYTES =
            Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4);

    /**
     * Finds the rows of a graph, or takes the user's word for them.
     *
     * @param outputs the outputs that are written or passed on as states
     * @param batch the number of rows at a time, or null to choose one
     */
    static GraphRows of(
            OnnxModel model, GraphInputs inputs, OnnxOptions options, List<GraphValue> outputs, Integer batch) {
        Map<String, Integer> given = options.rows();
        RowProof proof = given.isEmpty()
                ? proof(model, inputs, options.states())
                : new RowProof(Optional.of(GivenRows.of(model, given, outputs)), "");
        Optional<RowAxes> axes = proof.axes();
        Optional<Long> count = axes.flatMap(found -> count(inputs.all(), found));
        if (count.isPresent()) {
            long fitting = CHUNK_BYTES / Math.max(1, bytesPerRow(model, inputs.all(), axes.get(), count.get()));
            return new GraphRows(
                    axes, count.get(), chunk(inputs, axes.get(), count.get(), batch, fitting), fitting, "");
        }
        String reason = axes.isPresent() ? "its inputs have different numbers of rows" : proof.reason();
        if (inputs.areSingleRows()) {
            throw inputs.madeForOneRow(reason);
        }
        if (batch != null) {
            throw new InvalidInputException("--batch: expected a model whose rows don't depend on each other, found "
                    + model.path() + ": " + reason + "; if its rows are independent nevertheless, name their axes: "
                    + "--rows " + example(model));
        }
        return new GraphRows(Optional.empty(), 1, 1, 1, reason);
    }

    private static long chunk(GraphInputs inputs, RowAxes axes, long rows, Integer batch, long fitting) {
        long fewest = axes.fewest();
        if (batch != null && batch < fewest) {
            throw new InvalidInputException("--batch: expected at least " + Numbers.count(fewest, "row")
                    + ", because the model computes a single row in another way, found " + batch);
        }
        if (inputs.areSingleRows()) {
            return 1;
        }
        long chunk = batch != null ? batch : fitting;
        return Math.max(fewest, Math.min(chunk, Math.max(1, rows)));
    }

    private static String example(OnnxModel model) {
        return model.inputs().isEmpty() ? "NAME=AXIS" : model.inputs().get(0).name() + "=0";
    }

    private static RowProof proof(OnnxModel model, GraphInputs inputs, Map<String, String> states) {
        RowProof proof = inputs.areSingleRows() ? model.singleRow(inputs.singleRows()) : model.rows(inputs.shapes());
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

    /** Returns the number of rows, or nothing if inputs differ in it. */
    private static Optional<Long> count(List<GraphInput> inputs, RowAxes axes) {
        GraphInput first = null;
        long count = 1;
        for (GraphInput input : inputs) {
            Integer axis = axes.inputs().get(input.name());
            if (axis == null) {
                continue;
            }
            long rows = input.rows(axis);
            if (first == null) {
                first = input;
                count = rows;
            } else if (rows != count) {
                String symbol = symbol(input, axis);
                if (!symbol.isEmpty()
                        && symbol.equals(symbol(first, axes.inputs().get(first.name())))) {
                    throw new InvalidInputException("input '" + input.name() + "': expected "
                            + Numbers.count(count, "row") + " (" + symbol + ") as input '" + first.name()
                            + "' has, found " + rows);
                }
                return Optional.empty();
            }
        }
        return Optional.of(count);
    }

    private static String symbol(GraphInput input, int axis) {
        return input.value().dimensions().map(all -> all.get(axis).symbol()).orElse("");
    }

    /** Returns the bytes per row of one call: its inputs, and the inputs and outputs of the LSTMs over all steps. */
    private static long bytesPerRow(OnnxModel model, List<GraphInput> inputs, RowAxes axes, long rows) {
        long bytes = 0;
        Map<String, Long> sizes = new HashMap<>();
        for (GraphInput input : inputs) {
            Integer rowAxis = axes.inputs().get(input.name());
            bytes += rowAxis != null ? input.bytes() / Math.max(1, rows) : 0;
            List<GraphValue.Dimension> dimensions = input.value().dimensions().orElse(List.of());
            for (int axis = 0; axis < dimensions.size(); axis++) {
                boolean isRows = rowAxis != null && rowAxis == axis;
                if (!dimensions.get(axis).isFixed() && !isRows) {
                    sizes.merge(input.name() + "#" + axis, input.shape()[axis], Math::max);
                }
            }
        }
        // The largest free dimension, other than the rows, is taken for the number of steps.
        long steps = sizes.values().stream().mapToLong(Long::longValue).max().orElse(1);
        for (LstmPart lstm : model.lstms()) {
            bytes += steps
                    * Float.BYTES
                    * ((long) lstm.model().inputSize() + lstm.model().outputSize());
        }
        return bytes;
    }

    /** Returns the axis of an input that holds the rows, if it does. */
    Optional<Integer> inputAxis(String name) {
        return axes.map(found -> found.inputs().get(name));
    }

    /** Returns the axis of an output that holds the rows, if it does. */
    Optional<Integer> outputAxis(String name) {
        return axes.map(found -> found.outputs().get(name));
    }

    /** Returns the number of chunks. */
    long chunks() {
        long rest = count % chunk, fewest = axes.map(RowAxes::fewest).orElse(1L);
        return Math.max(1, count / chunk + (rest >= fewest ? 1 : 0));
    }

    /** Returns the number of rows in a chunk. */
    long size(long index) {
        return index == chunks() - 1 ? count - index * chunk : chunk;
    }
}
