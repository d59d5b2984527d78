package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.Device;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.engine.GrowingBuffer;
import io.github.cellfuse.opencl.engine.Transfers;
import io.github.cellfuse.opencl.plan.CostModel;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import java.util.HashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;

/**
 * Measures the limits of a device with kernels that do nothing else ({@code kernels/roofline.cl}): multiply-adds from
 * registers, copies of memory, launches, and transfers between Java arrays and the device. Allocates about
 * {@link #workingSet()} bytes on the device. Not thread safe.
 */
public final class Roofline implements AutoCloseable {
    /** Long enough that launching and waiting don't matter. */
    private static final double SECONDS = 0.03;

    /** A few waits in that time, so that the best of them was disturbed the least. */
    private static final double WAIT_SECONDS = 0.008;

    /** Smaller copies would measure how fast launches follow each other. */
    private static final long LEAST_COPIED = 1 << 20;

    private static final int LAUNCHES = 1000;
    private static final int HOST_FLOATS = 16 << 20;

    /** Bytes that each core reads again and again: much less than its own cache holds, and more than it holds. */
    private static final int NEAR_BYTES = 256 << 10, FAR_BYTES = 4 << 20;

    private static final int SAMPLES = 5;

    private final FmaPeak peak;
    private final ClContext context;
    private final ClQueue queue;
    private final Kernel copy;
    private final int copyGroup;
    private final int vectorBytes;
    /** How many passes over so many bytes one wait covers. */
    private final Map<Long, Integer> passes = new HashMap<>();

    private final Kernel read;
    private final int readers;
    private final Kernel nothing;
    private final NdRange nothingRange;
    private final long copied;
    private final long workingSet;

    /** Prepares {@code device}. */
    public Roofline(Device.OpenCl device) {
        ClDevice found = OpenClDevices.find(device);
        Capabilities has = found.capabilities();
        DeviceTraits traits = DeviceTraits.of(has);
        Tile tile = traits.largestTile();
        workingSet = workingSet(has);
        peak = new FmaPeak(device);
        ClContext opened = null;
        try {
            context = opened = found.open();
            queue = context.queue();
            Programs programs = new Programs(context);
            copy = programs.kernel(KernelSource.ROOFLINE, tile, "lstm_copy");
            read = programs.kernel(KernelSource.ROOFLINE, tile, "lstm_read");
            nothing = programs.kernel(KernelSource.ROOFLINE, tile, "lstm_nothing");
            boolean cpu = traits.isCpu();
            copyGroup = cpu ? (int) Math.min(1024, copy.maxWorkGroupSize()) : 0;
            vectorBytes = tile.vec() * Float.BYTES;
            copied = items(workingSet) * vectorBytes;
            ClBuffer from = context.buffer("copy's source", copied, ClBuffer.Access.READ_WRITE);
            ClBuffer to = context.buffer("copy's target", copied, ClBuffer.Access.READ_WRITE);
            // Untouched memory may be a single page of zeros that every address is mapped to.
            queue.zero(from);
            queue.zero(to);
            copy.set("from", from).set("to", to);
            // One work-item per core, as long as each has its own bytes to read.
            readers = (int) Math.max(1, Math.min(has.computeUnits(), copied / FAR_BYTES));
            read.set("from", from).set("out", to);
            nothing.set("out", to).set("n", 0);
            nothingRange = NdRange.of(1).local(1);
            // Compiles the kernels and touches the pages of both buffers.
            queue.launch(copy.ready(), copyRange(workingSet));
            queue.launch(nothing.ready(), nothingRange);
            queue.finish();
        } catch (RuntimeException | Error e) {
            peak.close();
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    /**
     * Returns bytes that no cache of a device keeps from one pass over them to the next: four times its largest cache
     * and at least 256 MiB, but at most an eighth of its memory and at most two of its largest buffers. The result is
     * rounded down to a power of two, because some drivers report another size of memory each time, and two runs should
     * use the same sizes.
     */
    static long workingSet(Capabilities has) {
        long wanted = Math.max(256L << 20, 4 * has.globalCacheBytes());
        return Long.highestOneBit(
                Math.min(wanted, Math.min(has.globalMemoryBytes() / 8, 2 * has.maxAllocationBytes())));
    }

    /** Returns the device that is measured, with its platform and index. */
    public Device.OpenCl device() {
        return OpenClDevices.nameOf(context.device());
    }

    /**
     * Returns the bytes that {@link #copyBandwidth()} reads and writes in one pass: more than the device's caches hold.
     */
    public long workingSet() {
        return workingSet;
    }

    /** Measures the multiply-add peak once, as {@link FmaPeak#measure()} does. */
    public double fmaPeak() {
        return peak.measure();
    }

    /** Measures the memory as {@link #copyBandwidth(long)} does, beyond the caches. */
    public double copyBandwidth() {
        return copyBandwidth(workingSet);
    }

    /**
     * Measures the best of a few waits for several passes over the same bytes, in bytes per second; each copied byte is
     * read and written, and counts as two. What fits in a cache stays there, as it does for a kernel that is launched
     * again and again.
     *
     * @param bytes to read and write in a pass; within 1 MiB and {@link #workingSet()}, or else the nearer of these
     */
    public double copyBandwidth(long bytes) {
        long used = Math.max(Math.min(LEAST_COPIED, workingSet), Math.min(bytes, workingSet));
        NdRange range = copyRange(used);
        long start = System.nanoTime();
        int count = passes.computeIfAbsent(used, each -> passes(range));
        double best = Double.MAX_VALUE;
        do {
            best = Math.min(best, copy(range, count));
        } while ((System.nanoTime() - start) * 1e-9 < SECONDS);
        return 2.0 * items(used) * vectorBytes * count / best;
    }

    private int passes(NdRange range) {
        int count = 1;
        while (copy(range, count) < WAIT_SECONDS) {
            count *= 2;
        }
        return count;
    }

    private double copy(NdRange range, int count) {
        long start = System.nanoTime();
        for (int k = 0; k < count; k++) {
            queue.launch(copy.ready(), range);
        }
        queue.finish();
        return (System.nanoTime() - start) * 1e-9;
    }

    private NdRange copyRange(long bytes) {
        NdRange range = NdRange.of(items(bytes));
        return copyGroup > 0 ? range.local(copyGroup) : range;
    }

    /** Returns the work-items that read and write {@code bytes}, each one vector. */
    private long items(long bytes) {
        int group = Math.max(1, copyGroup);
        return Math.max(group, bytes / 2 / vectorBytes / group * group);
    }

    /**
     * Measures the speeds that {@link CostModel} needs, each as a median. Takes about two seconds.
     *
     * <p>The speeds of caches mean something on a CPU only: a single work-item of a GPU is too slow to measure its
     * caches. The choice of a GPU's plan doesn't depend on them.
     */
    DeviceSpeed speed() {
        return new DeviceSpeed(
                median(this::fmaPeak),
                median(() -> readBandwidth(NEAR_BYTES)),
                median(() -> readBandwidth(FAR_BYTES)),
                median(this::copyBandwidth),
                median(this::launchSeconds));
    }

    private static double median(DoubleSupplier measurement) {
        return DoubleStream.generate(measurement).limit(SAMPLES).sorted().toArray()[SAMPLES / 2];
    }

    /**
     * Measures once how fast each core reads the same {@code bytes} again while all cores do, in bytes per second of a
     * core.
     */
    double readBandwidth(int bytes) {
        int vectors = Math.max(4, bytes / vectorBytes / 4 * 4);
        NdRange range = NdRange.of(readers).local(1);
        int passes = 1;
        while (true) {
            read.set("vectors", vectors).set("passes", passes);
            long start = System.nanoTime();
            queue.launch(read.ready(), range);
            queue.finish();
            double seconds = (System.nanoTime() - start) * 1e-9;
            if (seconds >= SECONDS) {
                return (double) vectors * vectorBytes * passes / seconds;
            }
            passes = Math.multiplyExact(passes, 2);
        }
    }

    /** Measures the seconds of one launch in a row of launches of a single work-item that does nothing. */
    public double launchSeconds() {
        long start = System.nanoTime();
        for (int k = 0; k < LAUNCHES; k++) {
            queue.launch(nothing.ready(), nothingRange);
        }
        queue.finish();
        return (System.nanoTime() - start) * 1e-9 / LAUNCHES;
    }

    /**
     * Measures transfers of 64 MiB between a Java array and the device, made as a session makes them, in bytes per
     * second: {@code [0]} to the device, {@code [1]} to the host.
     */
    public double[] hostBandwidth() {
        float[] values = new float[HOST_FLOATS];
        double bytes = (double) HOST_FLOATS * Float.BYTES;
        GrowingBuffer scratch = new GrowingBuffer(context, queue, "transfer");
        try {
            ClBuffer buffer = scratch.ensure(HOST_FLOATS);
            Transfers transfers = new Transfers(queue);
            transfers.write(buffer, 0, values); // pages and staging memory
            queue.finish();
            long start = System.nanoTime();
            transfers.write(buffer, 0, values);
            queue.finish();
            long between = System.nanoTime();
            transfers.read(buffer, 0, values);
            long end = System.nanoTime();
            return new double[] {bytes / ((between - start) * 1e-9), bytes / ((end - between) * 1e-9)};
        } finally {
            scratch.close();
        }
    }

    @Override
    public void close() {
        context.close();
        peak.close();
    }
}
