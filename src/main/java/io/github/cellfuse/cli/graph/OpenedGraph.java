package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.Map;

/** A graph whose LSTMs run on one device. */
final class OpenedGraph implements AutoCloseable {
    private final OnnxModel model;
    private final GraphDevice device;
    /** Opened beforehand, and not in use yet; null once it is. Guarded by this object. */
    private OnnxSession idle;

    private Tier tier = Tier.EXACT;

    OpenedGraph(OnnxModel model, GraphDevice device) {
        this.model = model;
        this.device = device;
        idle = model.session(device::open);
        learnTier();
    }

    private void learnTier() {
        tier = idle.engines().stream()
                .map(LstmEngine::tier)
                .filter(each -> each != Tier.EXACT)
                .findFirst()
                .orElse(Tier.EXACT);
    }

    /** Returns the device of the LSTMs; {@code java} if there are none, or none has been opened yet. */
    Device device() {
        DeviceOption.Choice choice = device.choice();
        return choice == null ? Device.JAVA : choice.device();
    }

    /** Returns the lowest promise of the LSTMs that have been opened. */
    Tier tier() {
        return tier;
    }

    /** Returns the session that isn't in use yet. */
    synchronized OnnxSession idle() {
        return idle;
    }

    /** Returns the results of the first call of {@link GraphRows#typical} rows, to know their shapes. */
    synchronized Map<String, Tensor> probe(GraphCalls calls) {
        Map<String, Tensor> results = GraphSession.probe(calls, idle);
        learnTier();
        return results;
    }

    /** Returns a session, which the caller closes. */
    synchronized OnnxSession take() {
        OnnxSession taken = idle == null ? model.session(device::open) : idle;
        idle = null;
        return taken;
    }

    @Override
    public synchronized void close() {
        if (idle != null) {
            idle.close();
        }
    }
}
