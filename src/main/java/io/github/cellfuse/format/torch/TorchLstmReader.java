package io.github.cellfuse.format.torch;

import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.torch.TorchName.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds one LSTM from tensors. The presence and shape of every tensor is checked before the first one is read. */
final class TorchLstmReader {
    private final SafetensorsFile file;
    private final TorchName first;
    private final int layers;
    private final Direction direction;
    private final boolean hasBias;
    private final boolean hasProjection;
    private final long inputSize;
    private final long hiddenSize;
    private final long outputSize;

    /** {@code names}: the module's tensors; at least one. */
    TorchLstmReader(SafetensorsFile file, List<TorchName> names) {
        this.file = file;
        first = names.get(0);
        layers = 1 + names.stream().mapToInt(TorchName::layer).max().orElse(0);
        direction = names.stream().anyMatch(TorchName::reverse) ? Direction.BIDIRECTIONAL : Direction.FORWARD;
        hasBias = names.stream().anyMatch(name -> name.kind().isBias());
        hasProjection = names.stream().anyMatch(name -> name.kind() == Kind.WEIGHT_HR);
        long[] shape = matrix(Kind.WEIGHT_IH, "[4H, I]");
        if (shape[0] % LstmWeights.GATES != 0) {
            throw invalid("tensor " + name(Kind.WEIGHT_IH, 0, false) + ": expected shape [4H, I], found "
                    + Problems.shape(shape) + ": its rows are no multiple of 4");
        }
        hiddenSize = shape[0] / LstmWeights.GATES;
        inputSize = shape[1];
        outputSize = hasProjection ? matrix(Kind.WEIGHT_HR, "[P, H]")[0] : hiddenSize;
    }

    LstmModel model() {
        refuseUnknown();
        for (int layer = 0; layer < layers; layer++) {
            for (int d = 0; d < direction.count(); d++) {
                check(layer, d == 1);
            }
        }
        List<List<LstmWeights>> weights = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            List<LstmWeights> directions = new ArrayList<>();
            for (int d = 0; d < direction.count(); d++) {
                directions.add(weights(layer, d == 1));
            }
            weights.add(directions);
        }
        return new LstmModel(direction, weights);
    }

    private LstmWeights weights(int layer, boolean reverse) {
        LstmWeights.Builder weights = LstmWeights.builder((int) inputSize(layer), (int) hiddenSize)
                .input(read(Kind.WEIGHT_IH, layer, reverse))
                .recurrent(read(Kind.WEIGHT_HH, layer, reverse));
        if (hasBias) {
            weights.inputBias(read(Kind.BIAS_IH, layer, reverse)).recurrentBias(read(Kind.BIAS_HH, layer, reverse));
        }
        if (hasProjection) {
            weights.projection(read(Kind.WEIGHT_HR, layer, reverse), (int) outputSize);
        }
        return weights.build();
    }

    private float[] read(Kind kind, int layer, boolean reverse) {
        return file.readFloats(name(kind, layer, reverse).toString());
    }

    private void check(int layer, boolean reverse) {
        for (Kind kind : Kind.values()) {
            boolean isExpected = kind.isBias() ? hasBias : kind != Kind.WEIGHT_HR || hasProjection;
            if (isExpected) {
                TorchName name = name(kind, layer, reverse);
                long[] expected = shape(kind, layer);
                long[] found = tensor(name, Problems.shape(expected)).shape();
                if (!Arrays.equals(found, expected)) {
                    throw invalid("tensor " + name + ": expected shape " + Problems.shape(expected) + ", found "
                            + Problems.shape(found));
                }
            }
        }
    }

    private long[] shape(Kind kind, int layer) {
        long rows = LstmWeights.GATES * hiddenSize;
        return switch (kind) {
            case WEIGHT_IH -> new long[] {rows, inputSize(layer)};
            case WEIGHT_HH -> new long[] {rows, outputSize};
            case BIAS_IH, BIAS_HH -> new long[] {rows};
            case WEIGHT_HR -> new long[] {outputSize, hiddenSize};
        };
    }

    private long inputSize(int layer) {
        return layer == 0 ? inputSize : direction.count() * outputSize;
    }

    /** Returns the shape of a matrix of the first layer, which gives the sizes of all others. */
    private long[] matrix(Kind kind, String expected) {
        TorchName name = name(kind, 0, false);
        long[] shape = tensor(name, expected).shape();
        if (shape.length != 2 || shape[0] < 1 || shape[1] < 1 || Math.max(shape[0], shape[1]) > Integer.MAX_VALUE) {
            throw invalid("tensor " + name + ": expected shape " + expected + ", found " + Problems.shape(shape));
        }
        return shape;
    }

    private SafetensorsFile.Tensor tensor(TorchName name, String shape) {
        SafetensorsFile.Tensor tensor = file.tensors().get(name.toString());
        if (tensor == null) {
            throw invalid("tensor " + name + ": expected it with shape " + shape + ", found none, in "
                    + (direction == Direction.BIDIRECTIONAL ? "a bidirectional" : "an")
                    + (first.isCell() ? " LSTM cell" : " LSTM of " + layers + (layers == 1 ? " layer" : " layers"))
                    + (hasBias ? " with biases" : "")
                    + (hasProjection ? " and a projection" : ""));
        }
        return tensor;
    }

    /**
     * Unknown tensors next to an LSTM's may change its meaning, like the raw weights of an LSTM with weight dropout. A
     * cell has none at all: people write cells of their own, such as with layer normalization, under the same names.
     */
    private void refuseUnknown() {
        String prefix = first.prefix(), kind = first.isCell() ? "LSTMCell" : "LSTM";
        for (String tensor : file.tensors().keySet()) {
            boolean isKnown = (first.isCell() ? TorchName.parseCell(tensor) : TorchName.parse(tensor)).isPresent();
            if (tensor.startsWith(prefix) && !isKnown) {
                String name = tensor.substring(prefix.length());
                boolean isBeside = prefix.endsWith(".") && name.indexOf('.') < 0;
                if (isBeside || first.isCell() || TorchName.looksRecurrent(name)) {
                    throw invalid("tensor " + Problems.quote(tensor) + ": expected torch.nn." + kind
                            + "'s own tensors alone under the prefix " + Problems.quote(prefix)
                            + ", found an unknown one");
                }
            }
        }
    }

    private TorchName name(Kind kind, int layer, boolean reverse) {
        return first.sibling(kind, layer, reverse);
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(file.path(), what);
    }
}
