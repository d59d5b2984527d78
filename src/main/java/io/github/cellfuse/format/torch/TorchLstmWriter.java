package io.github.cellfuse.format.torch;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.torch.TorchName.Kind;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Writes a model's arrays under PyTorch's names. */
final class TorchLstmWriter {
    private final String prefix;
    private final boolean hasBias;
    private final SafetensorsWriter out = new SafetensorsWriter().metadata("format", "pt");

    private TorchLstmWriter(LstmModel model, String prefix) {
        this.prefix = prefix;
        hasBias = model.layers().stream()
                .flatMap(layer -> layer.weights().stream())
                .anyMatch(LstmWeights::hasBias);
    }

    /** Returns the file's content; {@code target} only serves the message. */
    static SafetensorsWriter collect(LstmModel model, Path target, String prefix) {
        String cant = whatTorchLacks(model);
        if (cant != null) {
            boolean hasProjection = model.layers().stream().anyMatch(LstmLayer::hasProjection);
            throw Problems.invalid(target, cant + (hasProjection ? "" : "; an .onnx file can"));
        }
        TorchLstmWriter writer = new TorchLstmWriter(model, prefix);
        for (int layer = 0; layer < model.layerCount(); layer++) {
            for (int d = 0; d < model.layer(layer).directionCount(); d++) {
                writer.add(model.weights(layer, d), layer, d == 1);
            }
        }
        return writer.out;
    }

    /** Returns why {@code torch.nn.LSTM} can't express the model; null if it can. */
    private static String whatTorchLacks(LstmModel model) {
        if (!model.isUniform()) {
            return "expected layers of one size and direction, found others, which torch.nn.LSTM can't express";
        }
        if (model.last().direction() == Direction.REVERSE) {
            return "expected a forward or bidirectional model, found one that only runs in reverse, which "
                    + "torch.nn.LSTM can't express";
        }
        if (!model.isOrdinary()) {
            return "expected an LSTM with sigmoid gates and tanh alone, found peepholes, a clip, a coupled"
                    + " forget gate or other"
                    + " activations, which torch.nn.LSTM can't express";
        }
        return null;
    }

    private void add(LstmWeights w, int layer, boolean reverse) {
        long rows = (long) LstmWeights.GATES * w.hiddenSize();
        tensor(Kind.WEIGHT_IH, layer, reverse, w.input(), rows, w.inputSize());
        tensor(Kind.WEIGHT_HH, layer, reverse, w.recurrent(), rows, w.outputSize());
        if (hasBias) {
            tensor(Kind.BIAS_IH, layer, reverse, orZero(w.inputBias(), w.recurrentBias(), rows), rows);
            tensor(Kind.BIAS_HH, layer, reverse, orZero(w.recurrentBias(), w.inputBias(), rows), rows);
        }
        if (w.hasProjection()) {
            tensor(Kind.WEIGHT_HR, layer, reverse, w.projection().orElseThrow(), w.outputSize(), w.hiddenSize());
        }
    }

    private void tensor(Kind kind, int layer, boolean reverse, float[] values, long... shape) {
        out.tensor(new TorchName(prefix, kind, layer, reverse, false).toString(), values, shape);
    }

    /** b + -0 is b for every b, while -0 + 0 is 0; where both biases are missing their sum is 0. */
    private static float[] orZero(Optional<float[]> bias, Optional<float[]> other, long rows) {
        return bias.orElseGet(() -> {
            float[] zeros = new float[(int) rows];
            Arrays.fill(zeros, other.isEmpty() ? 0f : -0f);
            return zeros;
        });
    }
}
