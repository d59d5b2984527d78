package io.github.cellfuse.cli.info;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.spi.Sizes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * The memory and arithmetic that a batch takes.
 *
 * @param stateBytes h and c of every layer and direction
 */
record BatchCost(long rows, long steps, long inputBytes, long outputBytes, long stateBytes, long flops) {
    /**
     * Returns the cost of running all {@code models} on one batch.
     *
     * @throws io.github.cellfuse.InvalidInputException when a size overflows
     */
    static BatchCost of(List<LstmModel> models, long rows, long steps) {
        String options = "--batch " + rows + ", --steps " + steps + ": ";
        long inputs = sum(models, LstmModel::inputSize), outputs = sum(models, LstmModel::outputSize);
        long states = sum(models, m -> m.hiddenValuesBelow(m.layerCount()) + m.cellValuesBelow(m.layerCount()));
        return new BatchCost(
                rows,
                steps,
                Sizes.product(options + "bytes of input", rows, steps, inputs, Float.BYTES),
                Sizes.product(options + "bytes of output", rows, steps, outputs, Float.BYTES),
                Sizes.product(options + "bytes of states", rows, states, Float.BYTES),
                Sizes.product(options + "FLOP", rows, steps, sum(models, LstmModel::flopsPerStep)));
    }

    private static long sum(List<LstmModel> models, ToLongFunction<LstmModel> size) {
        return models.stream().mapToLong(size).sum();
    }

    /**
     * Returns the cost as text.
     *
     * @param whose precedes the first size
     */
    String describe(String whose) {
        return String.format(
                Locale.ROOT,
                "%s x %s: %sinput %s, output %s, states %s, %d FLOP",
                Numbers.count(rows, "row"),
                Numbers.count(steps, "step"),
                whose,
                Numbers.bytes(inputBytes),
                Numbers.bytes(outputBytes),
                Numbers.bytes(stateBytes),
                flops);
    }

    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("rows", rows);
        json.put("steps", steps);
        json.put("input_bytes", inputBytes);
        json.put("output_bytes", outputBytes);
        json.put("state_bytes", stateBytes);
        json.put("flops", flops);
        return json;
    }
}
