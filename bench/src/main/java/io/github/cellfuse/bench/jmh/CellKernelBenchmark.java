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
 * {@code lstm_cell}, the pointwise kernel by itself. A cell moves 28 bytes (four pre-activations and c in, c and h
 * out), so beyond the caches this measures the memory. Compare {@code bytes} with {@link HostPathBenchmark#copy}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class CellKernelBenchmark {
    private static final int BYTES_PER_CELL = 28;
    private static final double MOST = 1e-6;

    /** Rows of the batch. */
    @Param("4096")
    public int rows;

    /** Hidden units: 4096 × 64 cells fit a large cache (7 MB), 4096 × 1024 (117 MB) hardly any. */
    @Param({"64", "1024"})
    public int units;

    private Bench bench;
    private Kernel kernel;
    private NdRange range;
    private float[] preactivations;
    private float[] cells;
    private ClBuffer cellBuffer;
    private ClBuffer hidden;
    private int vec;

    /** Opens the device and fills the buffers. */
    @Setup(Level.Trial)
    public void open() {
        bench = new Bench();
        vec = bench.vec();
        int blocks = (units + vec - 1) / vec;
        preactivations = bench.values(rows * blocks * 4 * vec);
        cells = bench.values(rows * blocks * vec);
        cellBuffer = bench.buffer("c", cells);
        hidden = bench.buffer("h", rows * units);
        kernel = bench.kernel("lstm_cell", vec, 1, "activations", "lstm_cell")
                .set("a", bench.buffer("pre-activations", preactivations))
                .set("c", cellBuffer)
                .set("h", hidden)
                .set("active", bench.integers("active", 2, rows))
                .set("row_pitch", rows)
                .set("units", units)
                .set("h_slot_rows", 0)
                .set("h_stride", units)
                .set("first_reverse", 1)
                .set("longest", 1);
        // Step 1: PoCL compiles a kernel apart for the offset 0, which an engine never uses.
        range = bench.local(NdRange.of(blocks, rows, 1).offset(2, 1), blocks, 1, 1);
    }

    /** One launch, waited for. The cell states go on from one launch to the next, and stay bounded. */
    @Benchmark
    public void cell(Traffic traffic) {
        bench.queue().launch(kernel.ready(), range);
        bench.queue().finish();
        traffic.bytes += (long) BYTES_PER_CELL * rows * units;
    }

    /** Compares one launch with the equations in double precision. */
    @TearDown(Level.Trial)
    public void check() {
        bench.write(cellBuffer, cells);
        bench.queue().launch(kernel.ready(), range);
        float[] c = bench.read(cellBuffer), h = bench.read(hidden);
        int blocks = (units + vec - 1) / vec;
        for (int row = 0; row < rows; row++) {
            for (int unit = 0; unit < units; unit++) {
                int block = row * blocks + unit / vec, lane = unit % vec, gates = block * 4 * vec + lane;
                double i = sigmoid(preactivations[gates]), f = sigmoid(preactivations[gates + vec]);
                double g = Math.tanh(preactivations[gates + 2 * vec]), o = sigmoid(preactivations[gates + 3 * vec]);
                double next = f * cells[block * vec + lane] + i * g;
                Bench.expect("c of row " + row + ", unit " + unit, next, c[block * vec + lane], MOST);
                Bench.expect("h of row " + row + ", unit " + unit, o * Math.tanh(next), h[row * units + unit], MOST);
            }
        }
        bench.close();
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
