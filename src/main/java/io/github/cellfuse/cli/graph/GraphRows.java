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
 * The rows of a run, and how many are computed at a time.
 *
 * @param symbol the name of the dimension that counts them; an empty one where there is none
 * @param count all of them; 1 where there is no such dimension
 * @param chunk at most so many at a time
 */
record GraphRows(String symbol, long count, long chunk) {
    /** What inputs, and the inputs and outputs of LSTMs, may take. */
    private static final long CHUNK_BYTES =
            Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4);

    /**
     * @param batch rows at a time, where asked for
     */
    static GraphRows of(OnnxModel model, List<GraphInput> inputs, List<GraphValue> outputs, Integer batch) {
        Optional<String> symbol = RowSymbol.of(model, outputs);
        if (symbol.isEmpty()) {
            if (batch != null) {
                throw new InvalidInputException(
                        "--batch: expected a dimension that counts rows, with a name such as batch that"
                                + " inputs and outputs share, found none in " + model.path());
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

    /** Of a call: its inputs, and what goes in and out of LSTMs at the steps that the inputs' other free dimensions count. */
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
        long steps = sizes.values().stream().mapToLong(Long::longValue).max().orElse(1);
        for (LstmPart lstm : model.lstms()) {
            bytes += steps
                    * Float.BYTES
                    * ((long) lstm.model().inputSize() + lstm.model().outputSize());
        }
        return bytes;
    }

    /** The number of chunks. */
    long chunks() {
        return Math.max(1, (count + chunk - 1) / chunk);
    }
}
