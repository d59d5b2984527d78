package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
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

/**
 * The two kernels that are a product and nothing else: {@code lstm_input_projection} (a chunk of time steps at once,
 * four gates) and {@code lstm_hidden_projection} (a step, after the cell).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProjectionKernelBenchmark {
    /** Sums of up to a thousand products of values below 1, added one by one: a few ulp of √1000. */
    private static final double MOST = 1e-3;

    /** Rows of x: batch rows times steps of the chunk. */
    @Param("1536")
    public int rows;

    /** Inputs and outputs, a multiple of every vector width. */
    @Param({"256", "1024"})
    public int size;

    private Bench bench;
    private Kernel input;
    private Kernel hidden;
    private NdRange inputRange;
    private NdRange hiddenRange;
    private float[] x;
    private float[] weights;
    private float[] bias;
    private ClBuffer gates;
    private ClBuffer projected;
    private int vec;
    private int tile;

    /** Opens the device and fills the buffers. */
    @Setup(Level.Trial)
    public void open() {
        bench = new Bench();
        vec = bench.vec();
        tile = bench.tileRows();
        int blocks = size / vec, tiles = (rows + tile - 1) / tile;
        x = bench.values(tiles * tile * size); // tiles may read beyond the last row
        weights = bench.values(blocks * size * 4 * vec);
        bias = bench.values(blocks * 4 * vec);
        gates = bench.buffer("gates", rows * 4 * size);
        projected = bench.buffer("h", rows * size);
        ClBuffer xBuffer = bench.buffer("x", x), weightBuffer = bench.buffer("weights", weights);
        ClBuffer active = bench.integers("active", 2, rows);
        input = bench.kernel(
                        "lstm_input_projection",
                        vec,
                        tile,
                        "activations",
                        "lstm_cell",
                        "weights",
                        "gate_product",
                        "input_projection")
                .set("x", xBuffer)
                .set("p", gates)
                .set("w", weightBuffer)
                .set("bias", bench.buffer("bias", bias))
                .set("active", active)
                .set("row_pitch", rows)
                .set("x_first", 1)
                .set("x_stride", size)
                .set("inputs", size)
                .set("recurrent_inputs", 0)
                .set("first_reverse", 1)
                .set("longest", 1)
                .set("first_step", 1)
                .set("last_step", 1)
                .set("blocks", blocks);
        inputRange = bench.local(NdRange.of(tiles, blocks, 1), 1, 1, 1);
        // The first panels of the same weights, read as [B,H,VEC].
        hidden = bench.kernel(
                        "lstm_hidden_projection",
                        vec,
                        tile,
                        "activations",
                        "lstm_cell",
                        "weights",
                        "gate_product",
                        "hidden_projection")
                .set("m", xBuffer)
                .set("s", weightBuffer)
                .set("h", projected)
                .set("active", active)
                .set("m_stride", size)
                .set("units", size)
                .set("outputs", size)
                .set("h_slot_rows", 0)
                .set("h_stride", size)
                .set("first_reverse", 1)
                .set("longest", 1);
        hiddenRange = bench.local(NdRange.of(tiles, blocks, 1).offset(2, 1), 1, 1, 1);
    }

    /** The input's products of a chunk, waited for. */
    @Benchmark
    public void input(ProductFlops work) {
        bench.queue().launch(input.ready(), inputRange);
        bench.queue().finish();
        work.flops += 8L * rows * size * size;
    }

    /** A step's projection, waited for. */
    @Benchmark
    public void hidden(ProductFlops work) {
        bench.queue().launch(hidden.ready(), hiddenRange);
        bench.queue().finish();
        work.flops += 2L * rows * size * size;
    }

    /** Compares both with sums in double precision, at places all over the result. */
    @TearDown(Level.Trial)
    public void check() {
        bench.queue().launch(input.ready(), inputRange);
        bench.queue().launch(hidden.ready(), hiddenRange);
        float[] p = bench.read(gates), h = bench.read(projected);
        int blocks = size / vec;
        // A prime step meets every lane, gate and place in a tile, and the last row is met on top.
        for (int at = 0; at < rows * size; at += 997) {
            checkUnit(p, h, blocks, at / size, at % size);
        }
        for (int unit = 0; unit < size; unit++) {
            checkUnit(p, h, blocks, rows - 1, unit);
        }
        bench.close();
    }

    private void checkUnit(float[] p, float[] h, int blocks, int row, int unit) {
        int block = unit / vec, lane = unit % vec;
        for (int gate = 0; gate < 4; gate++) {
            double sum = bias[(block * 4 + gate) * vec + lane];
            for (int k = 0; k < size; k++) {
                sum += (double) x[row * size + k] * weights[((block * size + k) * 4 + gate) * vec + lane];
            }
            Bench.expect(
                    "gate " + gate + " of row " + row + ", unit " + unit,
                    sum,
                    p[((row * blocks + block) * 4 + gate) * vec + lane],
                    MOST);
        }
        double sum = 0;
        for (int k = 0; k < size; k++) {
            sum += (double) x[row * size + k] * weights[(block * size + k) * vec + lane];
        }
        Bench.expect("projection of row " + row + ", output " + unit, sum, h[row * size + unit], MOST);
    }
}
