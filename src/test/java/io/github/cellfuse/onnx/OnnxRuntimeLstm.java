package io.github.cellfuse.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Runs a model of one LSTM node, with outputs {@code y}, {@code y_h} and {@code y_c}, in ONNX Runtime. */
final class OnnxRuntimeLstm implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final int directions, inputs, hidden;

    OnnxRuntimeLstm(ModelProto model, int directions, int inputs, int hidden) throws OrtException {
        this.directions = directions;
        this.inputs = inputs;
        this.hidden = hidden;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            // What it refuses it would print, too.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            session = environment.createSession(model.toByteArray(), options);
        }
    }

    OperatorOutputs run(OperatorInputs given) throws OrtException {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            int rows = given.rows();
            tensors.put("x", floats(given.x(), given.steps(), rows, inputs));
            if (given.lengths() != null) {
                tensors.put(
                        "lens",
                        OnnxTensor.createTensor(environment, IntBuffer.wrap(given.lengths()), new long[] {rows}));
            }
            if (given.h0() != null) {
                tensors.put("h0", floats(given.h0(), directions, rows, hidden));
            }
            if (given.c0() != null) {
                tensors.put("c0", floats(given.c0(), directions, rows, hidden));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                return new OperatorOutputs(values(result, "y"), values(result, "y_h"), values(result, "y_c"));
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor floats(float[] values, long... shape) throws OrtException {
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), shape);
    }

    private static double[] values(OrtSession.Result result, String name) {
        Optional<FloatBuffer> buffer = result.get(name).map(value -> ((OnnxTensor) value).getFloatBuffer());
        if (buffer.isEmpty()) {
            return null;
        }
        double[] values = new double[buffer.get().remaining()];
        for (int k = 0; k < values.length; k++) {
            values[k] = buffer.get().get(k);
        }
        return values;
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
