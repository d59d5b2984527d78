package example;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RunListener;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;

/** Counts the runs of a model on the best device and on {@code java} with Micrometer: {@code bin/example Metered}. */
public final class Metered {
    private static final int ROWS = 240, STEPS = 36, RUNS = 20;

    private Metered() {}

    public static void main(String... args) {
        LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
        LstmInput batch;
        try (NpyArray array = NpyArray.open(Path.of("examples/sunspots/input.npy"))) {
            batch = LstmInput.batchMajor(array.readAll(), ROWS, STEPS);
        }
        MeterRegistry registry = new SimpleMeterRegistry(); // a service has one that somebody reads
        // METERS:
        RunListener meters = run -> {
            String plan = run.plan().map(Plan::name).orElse("none");
            Tags tags = Tags.of("device", run.device().toString(), "plan", plan);
            registry.counter("cellfuse.rows", tags).increment(run.rows());
            registry.counter("cellfuse.row.steps", tags).increment((double) run.rows() * run.steps());
            registry.timer("cellfuse.compute", tags).record(run.computeNanos(), NANOSECONDS); // its count: runs
            registry.timer("cellfuse.wait", tags).record(run.waitNanos(), NANOSECONDS);
        };
        EngineOptions options = EngineOptions.DEFAULT.withListener(meters);
        // :METERS
        try (LstmEngine best = AutoDevice.open(model, options).engine();
                LstmEngine java = LstmEngine.open(Device.JAVA, model, options)) {
            run(best, batch);
            run(java, batch);
        }
        for (Timer timer : registry.find("cellfuse.compute").timers()) {
            System.out.printf(
                    "%s, plan %s: %d runs, %.2f ms on average%n",
                    timer.getId().getTag("device"),
                    timer.getId().getTag("plan"),
                    timer.count(),
                    timer.mean(MILLISECONDS));
        }
        double rows = registry.find("cellfuse.rows").counters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
        System.out.println("all rows are counted: " + (rows == 2.0 * RUNS * ROWS));
    }

    private static void run(LstmEngine engine, LstmInput batch) {
        try (LstmSession session = engine.newSession()) {
            for (int n = 0; n < RUNS; n++) {
                session.run(batch);
            }
        }
    }
}
