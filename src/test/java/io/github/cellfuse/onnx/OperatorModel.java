package io.github.cellfuse.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Layout;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A model of one LSTM node as it is read from a file and run here. */
final class OperatorModel {
    /** The node, as it was read. */
    final LstmNode node;

    private final OnnxModel model;
    private final boolean isByRow;
    private final int directions, hidden;

    /** Writes a model, over what was written there before, and reads it. */
    OperatorModel(Path path, ModelProto proto) {
        try {
            Files.write(path, proto.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        OnnxFile file = OnnxFile.open(path);
        node = LstmNode.of(file.nodes().get(0), file.opset(), file.constants(), file.tensors());
        isByRow = node.layout() == Layout.BATCH_MAJOR;
        directions = node.layer().directionCount();
        hidden = node.layer().hiddenSize();
        model = OnnxModel.open(path);
        assertEquals(1, model.parts().size(), "parts");
        assertTrue(model.kept().isEmpty(), "an LSTM is left to ONNX Runtime");
    }

    /** Runs it on a device, and gives the outputs that the graph has. */
    OperatorOutputs run(Device device, OperatorInputs given) {
        int rows = given.rows(), steps = given.steps();
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("x", tensor(given.x(), steps, rows, node.layer().inputSize()));
        if (given.lengths() != null) {
            inputs.put("lens", Tensor.of(given.lengths(), rows));
        }
        if (given.h0() != null) {
            inputs.put("h0", tensor(given.h0(), directions, rows, hidden));
        }
        if (given.c0() != null) {
            inputs.put("c0", tensor(given.c0(), directions, rows, hidden));
        }
        try (OnnxSession session = model.session(device, EngineOptions.DEFAULT.withThreads(1))) {
            Map<String, Tensor> found = session.run(inputs);
            // In layout 1 Y is [N,T,D,H] instead of [T,D,N,H].
            return new OperatorOutputs(
                    values(found.get("y"), steps * directions, rows),
                    values(found.get("y_h"), directions, rows),
                    values(found.get("y_c"), directions, rows));
        }
    }

    /** A tensor {@code [a,rows,block]}, or {@code [rows,a,block]} in layout 1. */
    private Tensor tensor(float[] values, int a, int rows, int block) {
        if (!isByRow) {
            return Tensor.of(values, a, rows, block);
        }
        float[] turned = new float[values.length];
        for (int i = 0; i < a; i++) {
            for (int row = 0; row < rows; row++) {
                System.arraycopy(values, (i * rows + row) * block, turned, (row * a + i) * block, block);
            }
        }
        return Tensor.of(turned, rows, a, block);
    }

    /** The other way round, of an output; null where there is none. */
    private double[] values(Tensor tensor, int a, int rows) {
        if (tensor == null) {
            return null;
        }
        double[] values = new double[tensor.elementCount()];
        for (int i = 0; i < a; i++) {
            for (int row = 0; row < rows; row++) {
                int to = (i * rows + row) * hidden, from = isByRow ? (row * a + i) * hidden : to;
                for (int u = 0; u < hidden; u++) {
                    values[to + u] = tensor.floats().get(from + u);
                }
            }
        }
        return values;
    }
}
