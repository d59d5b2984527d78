package io.github.cellfuse.bench.peers;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.opencl.tune.FmaPeak;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * CellFuse through its public API. The engine chooses the plan, after {@code cellfuse tune} if that was requested. Runs
 * include both transfers.
 */
final class CellFusePeer implements Peer {
    private final Device device;
    private final TunedFirst tuning;
    private FmaPeak peak;
    private LstmEngine engine;
    private LstmSession session;
    private LstmInput input;
    private LstmOutput output;

    CellFusePeer(Settings settings) {
        device = Device.parse(settings.device());
        tuning = new TunedFirst(settings.tuning(), settings.tuned());
        tuning.use();
    }

    @Override
    public String version() {
        String version = LstmEngine.class.getPackage().getImplementationVersion();
        return (version == null ? "" : version + " ") + "on " + deviceName() + tuning.note();
    }

    private String deviceName() {
        return Device.all().stream()
                .filter(info -> info.device().equals(device)
                        || device instanceof Device.OpenCl wanted
                                && info.device() instanceof Device.OpenCl found
                                && (wanted.platform() == Device.OpenCl.ANY || wanted.platform() == found.platform())
                                && (wanted.index() == Device.OpenCl.ANY || wanted.index() == found.index()))
                .findFirst()
                .map(info -> info.device() + " (" + info.name() + ")")
                .orElse(device.toString());
    }

    @Override
    public void prepare(ContestProblem problem) {
        closeEngine();
        LstmModel model = new LstmModel(Direction.FORWARD, List.of(List.of(problem.weights())));
        Shape shape = problem.shape();
        input = LstmInput.of(Layout.TIME_MAJOR, problem.x(), shape.rows(), shape.steps());
        tuning.tune(device, model, input);
        engine = LstmEngine.open(device, model);
        session = engine.newSession();
        output = new LstmOutput(
                Layout.TIME_MAJOR,
                shape.rows(),
                shape.steps(),
                problem.newOutput(),
                LstmState.zeros(model, shape.rows()));
    }

    @Override
    public void run() {
        session.run(input, output);
    }

    @Override
    public FloatBuffer output() {
        return output.y();
    }

    @Override
    public String plan() {
        return engine.explain(input.rows(), input.steps());
    }

    @Override
    public double peak() {
        if (!(device instanceof Device.OpenCl openCl)) {
            return Double.NaN;
        }
        if (peak == null) {
            peak = new FmaPeak(openCl);
        }
        return peak.measure();
    }

    private void closeEngine() {
        if (engine != null) {
            engine.close();
        }
    }

    @Override
    public void close() {
        closeEngine();
        if (peak != null) {
            peak.close();
        }
    }
}
