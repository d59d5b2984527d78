package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.tune.Roofline;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * The kernels that stream through memory, by themselves and at any size: {@code lstm_cell} and
 * {@code lstm_activations}. Before a kernel is timed, its results are compared with plain Java's, bit by bit. Not
 * thread-safe.
 */
public final class StandaloneKernels implements AutoCloseable {
    /** A kernel and its buffers. Closing it frees their memory. */
    public static final class Bound implements AutoCloseable {
        private static final double SECONDS = 0.03;
        private static final double WAIT_SECONDS = 0.008;

        private final ClQueue queue;
        private final TimedLaunches timed;
        private final Kernel kernel;
        private final NdRange range;
        private final List<ClBuffer> buffers = new ArrayList<>();

        /** How many launches one wait covers; 0 before the first measurement. */
        private int together;

        /** Takes charge of {@code kernel}, which isn't bound yet. */
        private Bound(ClQueue queue, TimedLaunches timed, Kernel kernel, NdRange range) {
            this.queue = queue;
            this.timed = timed;
            this.kernel = kernel;
            this.range = range;
        }

        /** Returns the seconds of {@code count} launches and the wait for them. */
        private double launch(int count) {
            long start = System.nanoTime();
            for (int k = 0; k < count; k++) {
                queue.launch(kernel.ready(), range);
            }
            queue.finish();
            return (System.nanoTime() - start) * 1e-9;
        }

        /**
         * Measures the seconds of one launch: the mean of many, of which several share a wait, as in
         * {@link Roofline#copyBandwidth()}.
         */
        public double seconds() {
            launch(1); // brings back what other kernels evicted from the caches, as far as there is room
            if (together == 0) {
                together = 1;
                while (launch(together) < WAIT_SECONDS) {
                    together *= 2;
                }
            }
            int launches = 0;
            double seconds = 0;
            do {
                seconds += launch(together);
                launches += together;
            } while (seconds < SECONDS);
            return seconds / launches;
        }

        /** Measures the seconds of one launch by the device's clock. */
        public double deviceSeconds() {
            timed.launch(kernel.ready(), range);
            return timed.take().get(0).seconds();
        }

        @Override
        public void close() {
            kernel.close();
            buffers.forEach(ClBuffer::close);
        }
    }

    /** Values repeat after this many: to generate hundreds of megabytes would take longer than the measurement. */
    private static final int PERIOD = 1 << 20;

    /** The number of results that are compared with Java's at the beginning, and again at the end. */
    private static final int CHECKED = 50_000;

    private final ClContext context;
    private final ClQueue queue;
    private final TimedLaunches timed;
    private final Programs programs;
    private final WorkGroups groups;
    private final int vec;
    private final float[] pattern = new float[PERIOD];

    /** Prepares {@code device}. */
    public StandaloneKernels(Device.OpenCl device) {
        ClDevice found = OpenClDevices.find(device);
        groups = new WorkGroups(found.capabilities());
        vec = DeviceTraits.of(found.capabilities()).vec();
        context = found.open();
        try {
            queue = context.queue();
            timed = new TimedLaunches(context.profilingQueue());
            programs = new Programs(context);
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
        Random random = new Random(1);
        for (int k = 0; k < PERIOD; k++) {
            pattern[k] = random.nextFloat() * 8 - 4;
        }
    }

    /**
     * Binds {@code lstm_cell} to {@code rows} rows of {@code units} units: pre-activations {@code [N,B,4,VEC]} and cell
     * states {@code [N,B·VEC]} in, cell states and hidden states {@code [N,H]} out.
     */
    public Bound cell(int rows, int units) {
        int blocks = Tile.blocks(units, vec);
        long cells = Sizes.product("cell states", rows, blocks, vec);
        Tile tile = Tile.of(vec, 1);
        // Step 1, the first one; whole rows in a work-group, as in an engine.
        Kernel kernel = programs.kernel(KernelSource.CELL, tile, "lstm_cell");
        NdRange range = groups.of(kernel).blocks(blocks, rows, 1).offset(2, 1);
        Bound bound = new Bound(queue, timed, kernel, range);
        try {
            ClBuffer gates = filled(bound, "pre-activations", 4 * cells);
            ClBuffer c = filled(bound, "cell states", cells);
            ClBuffer h = filled(bound, "hidden states", Sizes.product("hidden states", rows, units));
            ClBuffer active = buffer(bound, "active rows", 2);
            queue.fill(active, 0, active.bytes(), rows);
            bound.kernel
                    .set("a", gates)
                    .set("c", c)
                    .set("h", h)
                    .set("active", active)
                    .set("row_pitch", rows)
                    .set("units", units)
                    .set("h_slot_rows", 0)
                    .set("h_stride", units)
                    .set("first_reverse", 1)
                    .set("longest", 1);
            bound.launch(1);
            int checked = Math.min(rows, Math.max(1, CHECKED / units));
            checkCells(0, checked, units, blocks, c, h);
            checkCells(rows - checked, checked, units, blocks, c, h);
            return bound;
        } catch (RuntimeException | Error e) {
            bound.close();
            throw e;
        }
    }

    /** Binds {@code lstm_activations} to {@code values} values, a multiple of 16: both functions of each. */
    public Bound activations(long values) {
        Kernel kernel = programs.kernel(KernelSource.STATE, Tile.of(vec, 1), "lstm_activations");
        Bound bound = new Bound(queue, timed, kernel, groups.of(kernel).manyItems(values / vec));
        try {
            ClBuffer x = filled(bound, "x", values);
            ClBuffer sigmoid = filled(bound, "sigmoid", values);
            ClBuffer tanh = filled(bound, "tanh", values);
            kernel.set("x", x).set("s", sigmoid).set("t", tanh);
            bound.launch(1);
            int checked = (int) Math.min(values, CHECKED);
            checkActivations(0, checked, sigmoid, tanh);
            checkActivations(values - checked, checked, sigmoid, tanh);
            return bound;
        } catch (RuntimeException | Error e) {
            bound.close();
            throw e;
        }
    }

    private void checkActivations(long first, int count, ClBuffer sigmoids, ClBuffer tanhs) {
        float[] s = read(sigmoids, first, count), t = read(tanhs, first, count);
        for (int k = 0; k < count; k++) {
            float x = pattern(first + k);
            check("sigmoid", first + k, Activations.sigmoid(x), s[k]);
            check("tanh", first + k, Activations.tanh(x), t[k]);
        }
    }

    private void checkCells(long first, int rows, int units, int blocks, ClBuffer cells, ClBuffer hidden) {
        int pitch = blocks * vec;
        float[] c = read(cells, first * pitch, rows * pitch), h = read(hidden, first * units, rows * units);
        for (int row = 0; row < rows; row++) {
            for (int unit = 0; unit < units; unit++) {
                // [row, unit block, gate, lane]
                long gate = ((first + row) * blocks + unit / vec) * 4 * vec + unit % vec;
                float i = Activations.sigmoid(pattern(gate)), f = Activations.sigmoid(pattern(gate + vec));
                float g = Activations.tanh(pattern(gate + 2L * vec)), o = Activations.sigmoid(pattern(gate + 3L * vec));
                float next = Math.fma(f, pattern((first + row) * pitch + unit), i * g);
                check("c", (first + row) * units + unit, next, c[row * pitch + unit]);
                check("h", (first + row) * units + unit, o * Activations.tanh(next), h[row * units + unit]);
            }
        }
    }

    private static void check(String what, long at, float expected, float found) {
        if (Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(found)) {
            throw new CellFuseException(what + "[" + at + "]: expected " + expected + " (java), found " + found
                    + "; run 'cellfuse verify' for details");
        }
    }

    /** Returns the value that {@link #filled} wrote to {@code at}. */
    private float pattern(long at) {
        return pattern[(int) (at % PERIOD)];
    }

    private ClBuffer filled(Bound bound, String name, long floats) {
        ClBuffer buffer = buffer(bound, name, floats);
        FloatBuffer values = direct(PERIOD).put(pattern);
        for (long first = 0; first < floats; first += PERIOD) {
            values.clear().limit((int) Math.min(PERIOD, floats - first));
            queue.write(buffer, first * Float.BYTES, values);
        }
        return buffer;
    }

    private ClBuffer buffer(Bound bound, String name, long floats) {
        ClBuffer buffer = context.buffer(name, floats * Float.BYTES, ClBuffer.Access.READ_WRITE);
        bound.buffers.add(buffer);
        return buffer;
    }

    private float[] read(ClBuffer buffer, long first, int count) {
        FloatBuffer values = direct(count);
        queue.read(buffer, first * Float.BYTES, values);
        float[] array = new float[count];
        values.get(array);
        return array;
    }

    private static FloatBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(floats * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    @Override
    public void close() {
        context.close();
    }
}
