package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.OnnxLstm;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

/** The cost of running an LSTM as an ONNX graph instead of bare: the same layer on the same device, in milliseconds. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 4)
public class GraphPathBenchmark {
    /** Of all three of T, N and H, when these are large, the layer takes a third of a second on two cores. */
    @Param({"64"})
    public int steps;

    @Param({"256"})
    public int rows;

    @Param({"512"})
    public int units;

    private Bench bench;
    private LstmEngine engine;
    private LstmSession bare;
    private OnnxSession graph;
    private LstmInput input;
    private LstmOutput output;
    private Map<String, Tensor> inputs;
    private FloatBuffer y;

    /** The graph is batch-major, as PyTorch users have it, and so is the bare run. */
    @Setup(Level.Trial)
    public void open() throws IOException {
        bench = new Bench();
        LstmModel model = new LstmModel(
                Direction.FORWARD,
                List.of(List.of(LstmWeights.builder(units, units)
                        .input(scaled(4 * units * units))
                        .recurrent(scaled(4 * units * units))
                        .inputBias(scaled(4 * units))
                        .recurrentBias(scaled(4 * units))
                        .build())));
        engine = LstmEngine.open(Device.OPENCL, model);
        bare = engine.newSession();
        Path file = Files.createTempFile("lstm", ".onnx");
        try {
            OnnxLstm.save(model, file, true);
            graph = OnnxModel.open(file).session(Device.OPENCL, EngineOptions.DEFAULT);
        } finally {
            Files.delete(file);
        }
        ByteBuffer x =
                ByteBuffer.allocateDirect(rows * steps * units * Float.BYTES).order(ByteOrder.nativeOrder());
        x.asFloatBuffer().put(bench.values(rows * steps * units));
        inputs = Map.of("x", new Tensor(ElementType.FLOAT32, x, rows, steps, units));
        input = LstmInput.of(Layout.BATCH_MAJOR, x.asFloatBuffer(), rows, steps);
        output = new LstmOutput(
                Layout.BATCH_MAJOR, rows, steps, Bench.direct(rows * steps * units), LstmState.zeros(model, rows));
    }

    private float[] scaled(int count) {
        float[] values = bench.values(count);
        float scale = (float) (1 / Math.sqrt(units));
        for (int k = 0; k < count; k++) {
            values[k] *= scale;
        }
        return values;
    }

    /** Through a session of the engine. */
    @Benchmark
    public void bare() {
        bare.run(input, output);
    }

    /** Through a session of the graph. */
    @Benchmark
    public void graph() {
        y = graph.runInPlace(inputs).get("y").floats();
    }

    /** Both give the same bits. */
    @TearDown(Level.Trial)
    public void check() {
        bare();
        graph();
        if (output.y().mismatch(y) >= 0) {
            throw new AssertionError("the graph's y differs from the bare layer's");
        }
        bare.close();
        engine.close();
        graph.close();
        bench.close();
    }
}
