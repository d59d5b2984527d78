package io.github.cellfuse.verify;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds units with the same weights. They compute the same values and make the same errors, which don't cancel in a
 * sum, so the probabilistic bound must not treat them as independent. Newly initialized, pruned and hand-made models
 * have such units.
 *
 * <p>A grouping is an {@code int[]}: the units of a group have the same number. {@code null} means that all units
 * differ.
 */
final class IdenticalUnits {
    private IdenticalUnits() {}

    /** Returns the groups of the cells {@code [H]}. */
    static int[] cells(LstmWeights w) {
        float[] bias = w.bias(), peepholes = w.peepholes().orElse(null);
        List<Object> keys = new ArrayList<>();
        for (int u = 0; u < w.hiddenSize(); u++) {
            List<Object> key = new ArrayList<>();
            for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                int row = gate * w.hiddenSize() + u;
                key.add(bias[row]);
                key.add(row(w.input(), row, w.inputSize()));
                key.add(row(w.recurrent(), row, w.outputSize()));
            }
            for (int gate = 0; peepholes != null && gate < LstmWeights.PEEPHOLES; gate++) {
                key.add(peepholes[gate * w.hiddenSize() + u]);
            }
            keys.add(key);
        }
        return groups(keys);
    }

    /** Returns the groups of the hidden state {@code [P]}. */
    static int[] hidden(LstmWeights w) {
        if (!w.hasProjection()) {
            return cells(w);
        }
        float[] projection = w.projection().orElseThrow();
        List<Object> keys = new ArrayList<>();
        for (int p = 0; p < w.outputSize(); p++) {
            keys.add(row(projection, p, w.hiddenSize()));
        }
        return groups(keys);
    }

    /** Returns the groups of a layer's outputs {@code [D·P]}: the hidden states of its directions. */
    static int[] outputs(LstmLayer layer) {
        List<Object> keys = new ArrayList<>();
        for (int d = 0; d < layer.directionCount(); d++) {
            int[] hidden = hidden(layer.weights().get(d));
            for (int p = 0; p < layer.stateSize(); p++) {
                keys.add(List.of(d, hidden == null ? p : hidden[p]));
            }
        }
        return groups(keys);
    }

    /** Returns a row of a matrix as an object that compares by content. */
    private static FloatBuffer row(float[] matrix, int row, int width) {
        return FloatBuffer.wrap(matrix, row * width, width);
    }

    private static int[] groups(List<?> keys) {
        Map<Object, Integer> known = new HashMap<>();
        int[] groups = new int[keys.size()];
        for (int k = 0; k < groups.length; k++) {
            Integer group = known.putIfAbsent(keys.get(k), known.size());
            groups[k] = group == null ? known.size() - 1 : group;
        }
        return known.size() == groups.length ? null : groups;
    }
}
