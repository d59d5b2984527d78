package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A run that computes almost nothing: one row, one unit. Its time is the fixed cost of a run. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class SmallRunBenchmark {
    /** From the difference follows the cost of a step. */
    @Param({"1", "64"})
    public int steps;

    /** Plain Java shows what the device's part is. */
    @Param({"opencl", "java"})
    public String device;

    private LstmEngine engine;
    private LstmSession session;
    private LstmInput input;
    private LstmOutput output;

    /** All weights and biases are zero but the candidate's bias of 1, so the result is known. */
    @Setup(Level.Trial)
    public void open() {
        float[] bias = new float[LstmWeights.GATES];
        bias[LstmWeights.CANDIDATE] = 1;
        LstmWeights weights = LstmWeights.builder(1, 1)
                .input(new float[4])
                .recurrent(new float[4])
                .inputBias(bias)
                .build();
        engine = LstmEngine.open(Device.parse(device), new LstmModel(Direction.FORWARD, List.of(List.of(weights))));
        session = engine.newSession();
        input = LstmInput.timeMajor(new float[steps], 1, steps);
        output = LstmOutput.allocate(engine.model(), input);
    }

    /** In, through all steps, and out. */
    @Benchmark
    public void run() {
        session.run(input, output);
    }

    /** Every gate is 1/2: c' = c/2 + tanh(1)/2, h = tanh(c')/2. */
    @TearDown(Level.Trial)
    public void check() {
        session.run(input, output);
        double c = 0;
        for (int step = 0; step < steps; step++) {
            c = c / 2 + Math.tanh(1) / 2;
            Bench.expect("h of step " + step, Math.tanh(c) / 2, output.y().get(step), 1e-6);
        }
        engine.close();
    }
}
