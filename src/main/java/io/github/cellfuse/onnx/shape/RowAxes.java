package io.github.cellfuse.onnx.shape;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The axis along which each input and output of a graph holds the rows. Values that aren't named don't depend on the
 * rows. Immutable and thread safe.
 *
 * @param inputs the axis of each input
 * @param outputs the axis of each output; its size is a multiple of the number of rows
 * @param fewest the fewest rows that each run must have
 */
public record RowAxes(Map<String, Integer> inputs, Map<String, Integer> outputs, long fewest) {
    public RowAxes {
        inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
        outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    }
}
