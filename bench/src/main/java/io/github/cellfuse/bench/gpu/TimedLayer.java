package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Tier;
import io.github.cellfuse.opencl.engine.KernelProfile;
import java.util.List;

/**
 * A model on an OpenCL device and a batch, timed by either of two clocks: the host's, which includes both transfers,
 * and the device's own, with the whole batch on the device. Belongs to one thread.
 */
final class TimedLayer implements AutoCloseable {
    private final LstmInput input;
    private final LstmOutput output;
    private final LstmEngine engine;
    private final LstmSession session;
    private KernelProfile profile;

    /** Opens the device. Runs read {@code input} and write {@code output}. */
    TimedLayer(Device device, EngineOptions options, LstmModel model, LstmInput input, LstmOutput output) {
        this.input = input;
        this.output = output;
        engine = LstmEngine.open(device, model, options);
        session = engine.newSession();
    }

    /** Runs once as a user does. Returns the seconds of the whole run, both transfers included. */
    double wall() {
        long from = System.nanoTime();
        session.run(input, output);
        return (System.nanoTime() - from) * 1e-9;
    }

    /** Runs once, with nothing moved between the launches, and returns these, by the device's clock. */
    List<KernelProfile.Launch> launches() {
        if (profile == null) {
            profile = new KernelProfile(engine);
        }
        return profile.run(input, output);
    }

    /** Returns the seconds from the beginning of the first kernel to the end of the last. */
    static double span(List<KernelProfile.Launch> launches) {
        return (launches.get(launches.size() - 1).ended() - launches.get(0).started()) * 1e-9;
    }

    Tier tier() {
        return engine.tier();
    }

    /** Returns how the batch runs, and why. */
    String plan() {
        return engine.explain(input.rows(), input.steps());
    }

    @Override
    public void close() {
        if (profile != null) {
            profile.close();
        }
        engine.close();
    }
}
