package io.github.cellfuse.format.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.format.onnx.Onnx.ModelProto;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Runs a node that was read on a device, in the node's own layout. */
final class OperatorRun implements AutoCloseable {
    private final LstmNode node;
    private final LstmModel model;
    private final LstmEngine engine;
    private final LstmSession session;

    /** The only node of a model, by way of its bytes. */
    static LstmNode read(ModelProto model) {
        try {
            OnnxFile file = OnnxFile.of(Path.of("case.onnx"), ModelProto.parseFrom(model.toByteArray()));
            return LstmNode.of(file.nodes().get(0), file.opset(), file.constants(), file.tensors());
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    OperatorRun(Device device, LstmNode node) {
        this.node = node;
        model = new LstmModel(List.of(node.layer()));
        engine = LstmEngine.open(device, model, EngineOptions.DEFAULT.withThreads(1));
        session = engine.newSession();
    }

    /** All outputs, whether the node's graph wants them or not. */
    OperatorOutputs run(OperatorInputs given) {
        int rows = given.rows(), steps = given.steps(), inputs = model.inputSize();
        boolean isByRow = node.layout() == Layout.BATCH_MAJOR;
        float[] x = isByRow ? exchanged(given.x(), steps, rows, inputs) : given.x();
        LstmState initial = null;
        if (given.h0() != null || given.c0() != null) {
            LstmState zeros = LstmState.zeros(model, rows);
            initial = new LstmState(
                    rows, given.h0() == null ? zeros.h() : given.h0(), given.c0() == null ? zeros.c() : given.c0());
        }
        LstmOutput output =
                session.run(new LstmInput(node.layout(), rows, steps, FloatBuffer.wrap(x), given.lengths(), initial));
        return outputs(output, given, isByRow);
    }

    private OperatorOutputs outputs(LstmOutput output, OperatorInputs given, boolean isByRow) {
        int rows = given.rows(), steps = given.steps();
        int directions = node.layer().directionCount(), hidden = model.last().hiddenSize();
        OperatorOutputs result = OperatorOutputs.zeros(steps, directions, rows, hidden);
        for (int t = 0; t < steps; t++) {
            for (int row = 0; row < rows; row++) {
                int from = (isByRow ? row * steps + t : t * rows + row) * directions * hidden;
                for (int d = 0; d < directions; d++) {
                    for (int u = 0; u < hidden; u++) {
                        result.y()[((t * directions + d) * rows + row) * hidden + u] =
                                output.y().get(from + d * hidden + u);
                    }
                }
            }
        }
        for (int k = 0; k < result.h().length; k++) {
            result.h()[k] = output.finalState().h()[k];
            result.c()[k] = output.finalState().c()[k];
        }
        clearEmptyRows(given, result, directions, hidden);
        return result;
    }

    /** Runs a node once. */
    static OperatorOutputs run(Device device, LstmNode node, OperatorInputs given) {
        try (OperatorRun run = new OperatorRun(device, node)) {
            return run.run(given);
        }
    }

    /** A session passes the state of a row without a step through; the operator gives zeros. */
    private static void clearEmptyRows(OperatorInputs given, OperatorOutputs result, int directions, int hidden) {
        for (int row = 0; row < given.rows(); row++) {
            for (int d = 0; d < directions && given.length(row) == 0; d++) {
                int at = (d * given.rows() + row) * hidden;
                Arrays.fill(result.h(), at, at + hidden, 0);
                Arrays.fill(result.c(), at, at + hidden, 0);
            }
        }
    }

    private static float[] exchanged(float[] values, int a, int b, int block) {
        float[] result = new float[values.length];
        for (int i = 0; i < a; i++) {
            for (int j = 0; j < b; j++) {
                System.arraycopy(values, (i * b + j) * block, result, (j * a + i) * block, block);
            }
        }
        return result;
    }

    @Override
    public void close() {
        session.close();
        engine.close();
    }
}
