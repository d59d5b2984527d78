package io.github.cellfuse.bench.peers;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The tagger in CellFuse: its LSTMs on the device, the rest in ONNX Runtime. */
final class CellFuseTaggerPeer implements Peer {
    private final CellFusePeer layers;
    private final OnnxSession session;
    private Map<String, Tensor> inputs;
    private FloatBuffer scores;

    CellFuseTaggerPeer(Settings settings) {
        layers = new CellFusePeer(settings);
        try {
            Path file = Files.createTempFile("tagger", ".onnx");
            try {
                Files.write(file, Tagger.model());
                session = OnnxModel.open(file).session(Device.parse(settings.device()), EngineOptions.DEFAULT);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String version() {
        return layers.version();
    }

    @Override
    public void prepare(ContestProblem problem) {
        int rows = problem.shape().rows(), steps = problem.shape().steps();
        ByteBuffer bytes = ByteBuffer.allocateDirect(rows * steps * Long.BYTES).order(ByteOrder.nativeOrder());
        bytes.asLongBuffer().put(Tagger.tokens(rows, steps));
        inputs = Map.of(Tagger.INPUT, new Tensor(ElementType.INT64, bytes, rows, steps));
    }

    @Override
    public void run() {
        scores = session.runInPlace(inputs).get(Tagger.OUTPUT).floats();
    }

    @Override
    public FloatBuffer output() {
        return scores;
    }

    @Override
    public String plan() {
        return String.join("; ", session.explain());
    }

    @Override
    public void close() {
        session.close();
        layers.close();
    }
}
