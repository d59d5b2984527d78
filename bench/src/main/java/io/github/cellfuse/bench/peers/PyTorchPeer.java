package io.github.cellfuse.bench.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.cellfuse.LstmWeights;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * {@code torch.lstm} through DJL: the operator that {@code nn.LSTM} calls, in evaluation mode and without gradients.
 * Its results stay in torch's memory; copying them out isn't timed.
 */
final class PyTorchPeer implements Peer {
    private final Engine engine;
    private NDManager manager;
    private NDArray x;
    private NDList state;
    private NDList weights;
    private NDList result;

    PyTorchPeer(Settings settings) {
        // DJL reads them when it sets up the engine.
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(settings.threads()));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        engine = Engine.getEngine("PyTorch");
    }

    @Override
    public String version() {
        return engine.getVersion();
    }

    @Override
    public void prepare(ContestProblem problem) {
        close();
        manager = engine.newBaseManager(Device.cpu());
        LstmWeights w = problem.weights();
        long steps = problem.shape().steps(), rows = problem.shape().rows();
        long inputs = problem.shape().inputs(), units = problem.shape().units();
        x = manager.create(problem.x().duplicate(), new Shape(steps, rows, inputs));
        state = new NDList(manager.zeros(new Shape(1, rows, units)), manager.zeros(new Shape(1, rows, units)));
        // torch's gates are i f g o, too.
        weights = new NDList(
                manager.create(w.input(), new Shape(4 * units, inputs)),
                manager.create(w.recurrent(), new Shape(4 * units, units)),
                manager.create(w.inputBias().orElseThrow(), new Shape(4 * units)),
                manager.create(w.recurrentBias().orElseThrow(), new Shape(4 * units)));
    }

    @Override
    public void run() {
        if (result != null) {
            result.close();
        }
        result = x.getNDArrayInternal().lstm(x, state, weights, true, 1, 0, false, false, false);
    }

    @Override
    public FloatBuffer output() {
        return result.get(0).toByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    @Override
    public void close() {
        if (manager != null) {
            manager.close();
            manager = null;
            result = null;
        }
    }
}
