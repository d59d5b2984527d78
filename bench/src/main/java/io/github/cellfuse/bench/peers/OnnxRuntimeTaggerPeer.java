package io.github.cellfuse.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** The tagger in ONNX Runtime alone. Reads the tokens and writes the scores in place. */
final class OnnxRuntimeTaggerPeer implements Peer {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private OnnxTensor tokens;
    private OnnxTensor target;
    private FloatBuffer scores;

    OnnxRuntimeTaggerPeer(Settings settings) {
        try (OrtSession.SessionOptions options = OnnxRuntimePeer.options(settings)) {
            session = environment.createSession(Tagger.model(), options);
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    @Override
    public String version() {
        return environment.getVersion();
    }

    @Override
    public void prepare(ContestProblem problem) {
        closeTensors();
        int rows = problem.shape().rows(), steps = problem.shape().steps();
        scores = ByteBuffer.allocateDirect(rows * steps * Tagger.TAGS * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        try {
            tokens = OnnxTensor.createTensor(environment, Tagger.tokens(rows, steps), new long[] {rows, steps});
            target = OnnxTensor.createTensor(environment, scores, new long[] {rows, steps, Tagger.TAGS});
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    @Override
    public void run() {
        try {
            session.run(Map.of(Tagger.INPUT, tokens), Map.of(Tagger.OUTPUT, target))
                    .close();
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    @Override
    public FloatBuffer output() {
        return scores;
    }

    private void closeTensors() {
        if (tokens != null) {
            tokens.close();
            target.close();
            tokens = null;
        }
    }

    @Override
    public void close() {
        closeTensors();
        try {
            session.close();
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }
}
