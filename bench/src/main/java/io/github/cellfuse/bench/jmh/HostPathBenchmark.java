package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.MappedBuffer;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
import java.nio.FloatBuffer;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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

/** The host's work around the kernels: launches, arguments, transfers. Average times, in microseconds. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class HostPathBenchmark {
    /** Launches between two waits: the cost of one among many, as in the loop over time. */
    private static final int LAUNCHES = 100;

    /** Arguments that {@link #arguments} sets. */
    private static final int ARGUMENTS = 9;

    /** A transfer: small states, and the input of a large batch. */
    @Param({"4096", "16777216"})
    public int bytes;

    private Bench bench;
    private Kernel kernel;
    private Kernel.Argument[] buffers;
    private Kernel.Argument[] integers;
    private NdRange range;
    private ClBuffer buffer;
    private ClBuffer second;
    private ClBuffer mappable;
    private FloatBuffer host;
    private FloatBuffer back;
    private float[] values;

    /** Opens the device; the kernel is the cell with no active row, which returns at once. */
    @Setup(Level.Trial)
    public void open() {
        bench = new Bench();
        int floats = bytes / Float.BYTES;
        values = bench.values(floats);
        host = Bench.direct(floats).put(values).flip();
        back = Bench.direct(floats);
        buffer = bench.buffer("transfer", values);
        second = bench.buffer("copy", floats);
        mappable = bench.context().hostBuffer("mapped", bytes, ClBuffer.Access.READ_WRITE);
        kernel = bench.kernel("lstm_cell", bench.vec(), 1, "activations", "lstm_cell");
        kernel.set("active", bench.integers("active", 2, 0));
        buffers = Stream.of("a", "c", "h").map(kernel::argument).toArray(Kernel.Argument[]::new);
        integers = Stream.of("row_pitch", "units", "h_slot_rows", "h_stride", "first_reverse", "longest")
                .map(kernel::argument)
                .toArray(Kernel.Argument[]::new);
        arguments();
        range = bench.local(NdRange.of(1, 1, 1).offset(2, 1), 1, 1, 1);
    }

    /** A launch and the wait for it. */
    @Benchmark
    public void launchAndWait() {
        bench.queue().launch(kernel.ready(), range);
        bench.queue().finish();
    }

    /** A launch in a row of many. */
    @Benchmark
    @OperationsPerInvocation(LAUNCHES)
    public void launch() {
        for (int launch = 0; launch < LAUNCHES; launch++) {
            bench.queue().launch(kernel.ready(), range);
        }
        bench.queue().finish();
    }

    /** All arguments of a small kernel; JMH divides by their number. */
    @Benchmark
    @OperationsPerInvocation(ARGUMENTS)
    public void arguments() {
        for (Kernel.Argument argument : buffers) {
            argument.set(buffer);
        }
        for (Kernel.Argument argument : integers) {
            argument.set(1);
        }
    }

    /** Host to device. */
    @Benchmark
    public void write() {
        bench.queue().write(buffer, 0, host);
    }

    /** Device to host. */
    @Benchmark
    public void read() {
        bench.queue().read(buffer, 0, back);
    }

    /** Mapping for writing, without touching the memory, and unmapping. */
    @Benchmark
    public void map() {
        try (MappedBuffer mapped = bench.queue().map(mappable, MappedBuffer.Mode.OVERWRITE)) {
            mapped.unmap();
        }
    }

    /** The device's own copy of a buffer: moves twice its bytes. */
    @Benchmark
    public void copy() {
        bench.queue().copy(buffer, 0, second, 0, bytes);
        bench.queue().finish();
    }

    /** What was written and copied reads back the same. */
    @TearDown(Level.Trial)
    public void check() {
        write();
        copy();
        read();
        float[] copied = bench.read(second);
        for (int k = 0; k < values.length; k++) {
            if (values[k] != back.get(k) || values[k] != copied[k]) {
                throw new AssertionError(
                        "value " + k + ": wrote " + values[k] + ", read " + back.get(k) + ", copied " + copied[k]);
            }
        }
        bench.close();
    }
}
