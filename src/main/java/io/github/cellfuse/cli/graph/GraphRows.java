package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.LstmPart;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rows of a run, and the number of rows to compute at a time.
 *
 * @param symbol the name of the dimension that counts rows; empty if there is none
 * @param count the number of rows; 1 if there is no such dimension
 * @param chunk the largest number of rows at a time
 */
record GraphRows(String symbol, long count, long chunk) {
    /** The memory for the inputs of the graph and the inputs and outputs of its LSTMs. */
    private static final long CHUNK_BYTES =
            Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4);

    /**
     * Finds the rows of a graph.
     *
     * @param batch the number of rows at a time, or null to choose one
     */
    static GraphRows of(OnnxModel model, List<GraphInput> inputs, List<GraphValue> outputs, Integer batch) {
        Optional<String> symbol = RowSymbol.of(model, outputs);
        if (symbol.isEmpty()) {
            if (batch != null) {
                throw new InvalidInputException(
                        "--batch: expected a dimension that counts rows: one with a name such as batch, shared by"
                                + " inputs and"
                                + " outputs; found none in " + model.path());
            }
            return new GraphRows("", 1, 1);
        }
        long rows = rows(inputs, symbol.get());
        long chunk = batch != null
                ? batch
                : Math.max(1, CHUNK_BYTES / Math.max(1, bytesPerRow(model, inputs, symbol.get(), rows)));
        return new GraphRows(symbol.get(), rows, Math.min(chunk, Math.max(1, rows)));
    }

    private static long rows(List<GraphInput> inputs, String symbol) {
        GraphInput first = null;
        for (GraphInput input : inputs) {
            Optional<Long> rows = input.rows(symbol);
            if (rows.isPresent()) {
                if (first != null && !rows.equals(first.rows(symbol))) {
                    throw new InvalidInputException("input '" + input.name() + "': expected "
                            + Numbers.count(first.rows(symbol).get(), "row") + " (" + symbol + ") as input '"
                            + first.name()
                            + "' has, found " + rows.get());
                }
                first = first == null ? input : first;
            }
        }
        return first == null ? 1 : first.rows(symbol).get();
    }

    /** Returns the bytes per row of one call: its inputs, and the inputs and outputs of the LSTMs over all steps. */
    private static long bytesPerRow(OnnxModel model, List<GraphInput> inputs, String symbol, long rows) {
        long bytes = 0;
        Map<String, Long> sizes = new HashMap<>();
        for (GraphInput input : inputs) {
            bytes += input.rows(symbol).isPresent() ? input.bytes() / Math.max(1, rows) : 0;
            List<GraphValue.Dimension> dimensions = input.value().dimensions().orElse(List.of());
            for (int axis = 0; axis < dimensions.size(); axis++) {
                if (!dimensions.get(axis).isFixed()
                        && !dimensions.get(axis).symbol().equals(symbol)) {
                    sizes.merge(dimensions.get(axis).symbol(), input.shape()[axis], Math::max);
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

    /** Returns the number of chunks. */
    long chunks() {
        return Math.max(1, (count + chunk - 1) / chunk);
    }
}
