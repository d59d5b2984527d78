package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Device;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;

/**
 * Measures the peak rate of fused multiply-adds from registers ({@code kernels/roofline.cl}): the upper bound of a
 * product's speed. Not thread safe.
 */
public final class FmaPeak implements AutoCloseable {
    /** Long enough that the launch doesn't matter, and short enough to alternate with other measurements. */
    private static final double SECONDS = 0.01;

    /** Whatever else the machine does can only make a launch slower, so the fastest is the nearest to the limit. */
    private static final int LAUNCHES = 4;

    private final ClContext context;
    private final ClQueue queue;
    private final Kernel kernel;
    private final NdRange range;
    private final double operationsPerRound;

    /** Multiply-adds of each chain: a multiple of 4. */
    private int rounds = 1000;

    /** Prepares {@code device}. */
    public FmaPeak(Device.OpenCl device) {
        ClDevice found = OpenClDevices.find(device);
        Capabilities has = found.capabilities();
        DeviceTraits traits = DeviceTraits.of(has);
        // The tile for a large batch: its sums fill the registers, which hides the latency of the multiply-adds.
        Tile tile = traits.largestTile();
        boolean cpu = traits.isCpu();
        long items = cpu ? 4L * has.computeUnits() : 4096L * has.computeUnits();
        operationsPerRound = 2.0 * 4 * tile.rows() * tile.vec() * items;
        context = found.open();
        try {
            queue = context.queue();
            kernel = new Programs(context).kernel(KernelSource.ROOFLINE, tile, "lstm_fma_peak");
            // A power of two, as the number of work-items is a multiple of a large one.
            range = NdRange.of(items).local(cpu ? 1 : Long.highestOneBit(Math.min(64, kernel.maxWorkGroupSize())));
            ClBuffer out = context.buffer("sums", items * tile.vec() * Float.BYTES, ClBuffer.Access.WRITE_ONLY);
            kernel.set("out", out).set("x", 0.5f);
            while (run() < SECONDS) {
                rounds *= 2;
            }
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /**
     * Measures the best of a few launches, in operations per second; a multiply-add counts as two. Takes about 0.05 s.
     */
    public double measure() {
        double seconds = run();
        for (int k = 1; k < LAUNCHES; k++) {
            seconds = Math.min(seconds, run());
        }
        return operationsPerRound * rounds / seconds;
    }

    private double run() {
        kernel.set("n", rounds);
        long start = System.nanoTime();
        queue.launch(kernel.ready(), range);
        queue.finish();
        return (System.nanoTime() - start) * 1e-9;
    }

    @Override
    public void close() {
        context.close();
    }
}
