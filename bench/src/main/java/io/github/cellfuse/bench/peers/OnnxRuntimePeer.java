package io.github.cellfuse.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.Shape;
import java.nio.FloatBuffer;
import java.util.Map;

/** ONNX Runtime's LSTM operator. Reads x and writes y in place, or copies them to and from the provider's device. */
final class OnnxRuntimePeer implements Peer {
    /** Makes the options of a session, which the caller closes. */
    interface Options {
        OrtSession.SessionOptions open() throws OrtException;
    }

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final Options options;
    private OrtSession session;
    private OnnxTensor x;
    private OnnxTensor yTensor;
    private FloatBuffer y;

    /** Runs on the CPU provider. */
    OnnxRuntimePeer(Settings settings) {
        this(() -> options(settings));
    }

    OnnxRuntimePeer(Options options) {
        this.options = options;
    }

    @Override
    public String version() {
        return environment.getVersion();
    }

    @Override
    public void prepare(ContestProblem problem) {
        close();
        Shape shape = problem.shape();
        try (OrtSession.SessionOptions opened = options.open()) {
            session = environment.createSession(LstmOnnxFile.of(shape, problem.weights()), opened);
            x = OnnxTensor.createTensor(
                    environment, problem.x(), new long[] {shape.steps(), shape.rows(), shape.inputs()});
            y = problem.newOutput();
            yTensor =
                    OnnxTensor.createTensor(environment, y, new long[] {shape.steps(), 1, shape.rows(), shape.units()});
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    /** Returns the options of a session on the CPU provider, which the caller closes. */
    static OrtSession.SessionOptions options(Settings settings) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(settings.threads());
        options.setInterOpNumThreads(1); // one node after the other: there is nothing to run beside them
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        options.addConfigEntry("session.intra_op.allow_spinning", settings.waiting() == Waiting.SLEEP ? "0" : "1");
        // Threads may spin within a run, where it helps, but not on past its end, into the next contender's turn. A run
        // of a stream is many calls: threads go on from one to the next, and their turn ends when they have stopped.
        options.addConfigEntry("session.force_spinning_stop", settings.task() == Task.VOICE ? "0" : "1");
        return options;
    }

    @Override
    public void run() {
        try (OrtSession.Result result = session.run(Map.of("X", x), Map.of("Y", yTensor))) {
            if (result.size() != 1) {
                throw new CellFuseException("ONNX Runtime: expected 1 output, found " + result.size());
            }
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    @Override
    public FloatBuffer output() {
        return y;
    }

    @Override
    public void close() {
        if (session == null) {
            return;
        }
        try {
            x.close();
            yTensor.close();
            session.close();
            session = null;
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    static CellFuseException failed(OrtException e) {
        return new CellFuseException("ONNX Runtime: " + e.getMessage(), e);
    }
}
