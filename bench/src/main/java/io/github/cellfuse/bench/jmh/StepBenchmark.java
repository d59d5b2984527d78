package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.bench.Shape;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A time step under each plan, as an engine runs it: the mean over a sequence of {@value #STEPS}, with its share of the
 * transfers. Checked by bits against plain Java.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class StepBenchmark {
    /** Long enough that the transfers and the states, once a run, count for little. */
    private static final int STEPS = 64;

    /** Without values of its own: all plans that there are. */
    @Param
    public Plan plan;

    /** N,I,H: a large batch, a small one, a single row. */
    @Param({"256,256,256", "16,256,256", "1,256,256"})
    public String shape;

    private LstmModel model;
    private LstmEngine engine;
    private LstmSession session;
    private LstmInput input;
    private LstmOutput output;

    /** Opens the device and makes the model. */
    @Setup(Level.Trial)
    public void open() {
        Shape size = Shape.parse(STEPS + "," + shape);
        Random random = new Random(1);
        int h = size.units();
        float scale = (float) (1 / Math.sqrt(h));
        model = new LstmModel(
                Direction.FORWARD,
                List.of(List.of(LstmWeights.builder(size.inputs(), h)
                        .input(values(random, 4 * h * size.inputs(), scale))
                        .recurrent(values(random, 4 * h * h, scale))
                        .inputBias(values(random, 4 * h, scale))
                        .recurrentBias(values(random, 4 * h, scale))
                        .build())));
        engine = LstmEngine.open(Device.OPENCL, model, EngineOptions.DEFAULT.withPlan(plan));
        session = engine.newSession();
        input = LstmInput.timeMajor(values(random, STEPS * size.rows() * size.inputs(), 1), size.rows(), STEPS);
        output = LstmOutput.allocate(model, input);
    }

    /** A whole run; JMH divides by the steps. */
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public void step() {
        session.run(input, output);
    }

    /** Every bit of y as plain Java has it. */
    @TearDown(Level.Trial)
    public void check() {
        session.run(input, output);
        engine.close();
        try (LstmEngine java = LstmEngine.open(Device.JAVA, model);
                LstmSession exact = java.newSession()) {
            int at = exact.run(input).y().mismatch(output.y());
            if (at >= 0) {
                throw new AssertionError(plan + " and plain Java differ in y at value " + at);
            }
        }
    }

    private static float[] values(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        return values;
    }
}
