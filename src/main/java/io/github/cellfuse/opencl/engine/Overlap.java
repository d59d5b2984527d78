package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClEvent;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.Undisturbed;
import java.nio.FloatBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Moves a batch to a device and back while its kernels run. The first layer's input goes up in parts, each before the
 * steps that read it are enqueued; see {@link InputUpload}. Another thread brings down the hidden states of the last
 * layer, in parts as well, as soon as their steps have ended.
 *
 * <pre>
 *   thread of uploads    │ fill 1 │ fill 2 │ fill 3 │ …           pinned blocks
 *   queue of uploads              │ x 1    │ x 2    │ x 3 │ …
 *   session's thread              │ launch 1 │ launch 2 │ launch 3 │ …
 *   queue of kernels                       │ steps 1 │ steps 2 │ steps 3 │ …
 *   queue of downloads                               │ y 1     │ y 2     │ y 3 │
 *   thread of downloads                                        │ empty 1 │ empty 2 │ …
 * </pre>
 *
 * <p>The output of a bidirectional layer is complete from the middle outwards. If the caller wants no output, there are
 * no downloads.
 */
final class Overlap implements AutoCloseable {
    /**
     * The parts of a small batch. A part costs about six commands of 4 µs more: 25 µs. It saves the time that its bytes
     * take alone, before the first step and after the last: at 10 GB/s by the host and 50 by the device, 0.12 ms a MiB
     * each way. So parts have at least an eighth of a block, 1 MiB …
     */
    private static final int FEW_PARTS = 4;

    /** … and those of a large batch half of one, 4 MiB, or more if the batch has as many parts as these. */
    private static final int MOST_PARTS = 16;

    /** Slots of the output that are complete when an event is. */
    private record Part(ClEvent computed, int firstSlot, int lastSlot) {}

    /** Follows the last part. */
    private static final Part END = new Part(null, 0, 0);

    private final ClQueue kernels;
    private final InputUpload upload;
    private final PinnedTransfers downloads;
    private final BatchTransfer copy;
    private final RunSizes run;
    private final ClBuffer history;
    private final FloatBuffer y;

    /** Slots whose download was ordered: none if the first is 0. */
    private int firstOrdered, lastOrdered;

    private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
    /** What the other thread does; null before it starts, and if the output has only one part. */
    private Future<Part> downloading;

    /**
     * Prepares a batch; nothing is moved yet.
     *
     * @param kernels the queue to which the batch's kernels go
     * @param input x {@code [T,rowPitch,stride]}
     * @param history the hidden states of the last layer {@code [T+2,rowPitch,stride]}
     * @param y where the output goes; null if it stays on the device
     */
    Overlap(
            ClQueue kernels,
            PinnedTransfers uploads,
            PinnedTransfers downloads,
            BatchTransfer copy,
            RunSizes run,
            ClBuffer input,
            ClBuffer history,
            FloatBuffer y) {
        this.kernels = kernels;
        upload = new InputUpload(uploads, copy, run.longest(), input);
        this.downloads = downloads;
        this.copy = copy;
        this.run = run;
        this.history = history;
        this.y = y;
    }

    /**
     * Returns whether a batch can go through {@code memory}, and is large enough for that to pay.
     *
     * @param y where the output goes; null if it stays on the device
     */
    static boolean suits(PinnedMemory memory, RunSizes run, FloatBuffer y) {
        long input = inputStride(run), output = outputStride(run, y);
        long values = (input + output) * run.rowPitch() * run.steps();
        return memory.suits(values * Float.BYTES) && Math.max(input, output) * Float.BYTES <= memory.blockBytes();
    }

    private static long inputStride(RunSizes run) {
        return run.inputStride();
    }

    /** Returns the floats that come down of a row and step. */
    private static long outputStride(RunSizes run, FloatBuffer y) {
        return y == null ? 0 : run.historyStride(run.model().last());
    }

    /**
     * Has to be called before steps of {@code layer} are enqueued. Starts the upload of what the first layer reads.
     *
     * @return how many steps to enqueue at a time, at most {@code most}
     */
    int begin(DeviceLayer layer, int most) {
        long stride = Math.max(isFirst(layer) ? inputStride(run) : 0, isLast(layer) ? outputStride(run, y) : 0);
        if (stride == 0) {
            return most;
        }
        int steps = Math.min(most, stepsOfPart(run.longest(), stride * run.rowPitch(), downloads.most()));
        if (isFirst(layer)) {
            upload.start(layer, steps);
        }
        return steps;
    }

    /** Returns how many of {@code steps} steps a part has, whose x and y have at most {@code slot} floats each. */
    static int stepsOfPart(int steps, long slot, int block) {
        long fewest = Math.max(1, block / 8 / slot), enough = Math.max(1, block / 2 / slot);
        long parts = Math.max(Math.min(FEW_PARTS, steps / fewest), roundUp(steps, enough));
        return (int) Math.max(1, roundUp(steps, Math.max(1, Math.min(MOST_PARTS, parts))));
    }

    private static long roundUp(long dividend, long divisor) {
        return (dividend + divisor - 1) / divisor;
    }

    /** Has to be called before each time that steps are enqueued: they wait for what they read. */
    void beforeSteps(DeviceLayer layer) {
        if (!isFirst(layer)) {
            return;
        }
        try (ClEvent uploaded = upload.next()) {
            if (uploaded != null) {
                kernels.waitFor(uploaded);
            }
        }
    }

    /** Has to be called after steps up to {@code last} have been enqueued. Orders what is complete after them. */
    void afterSteps(DeviceLayer layer, int last) {
        if (!isLast(layer) || y == null) {
            kernels.flush(); // the device can begin while the next steps are enqueued
            return;
        }
        // Beyond the longest row there is nothing to wait for.
        int firstSlot = layer.hasReverse() ? run.longest() - last + 1 : 1;
        int lastSlot = layer.hasForward() && last < run.longest() ? last : run.steps();
        orderUpTo(firstSlot, lastSlot);
    }

    /** Orders the download of the slots from {@code firstSlot} to {@code lastSlot}, except those ordered before. */
    private void orderUpTo(int firstSlot, int lastSlot) {
        if (firstSlot > lastSlot) {
            return;
        }
        if (firstOrdered == 0) {
            order(firstSlot, lastSlot);
        } else {
            order(firstSlot, firstOrdered - 1);
            order(lastOrdered + 1, lastSlot);
        }
        firstOrdered = firstSlot;
        lastOrdered = lastSlot;
        if (downloading == null && (firstSlot > 1 || lastSlot < run.steps())) {
            downloading = Undisturbed.start("cellfuse-download", this::download);
        }
    }

    private void order(int firstSlot, int lastSlot) {
        if (firstSlot > lastSlot) {
            return;
        }
        parts.add(new Part(kernels.marker(), firstSlot, lastSlot));
        kernels.flush();
    }

    /**
     * What the other thread does; returns the end.
     *
     * <p>No read is given to the device before what it reads has been computed: a GPU copies through few queues of its
     * own, and a read that waits for kernels there may hold up the upload of the next part.
     */
    private Part download() {
        Part part;
        for (part = nextPart(); part != END; part = nextPart()) {
            try (ClEvent computed = part.computed()) {
                boolean read = true;
                while (read && !computed.isComplete()) {
                    read = downloads.finishOldest();
                }
                computed.await();
            }
            copy.downloadOutput(downloads, history, y, part.firstSlot(), part.lastSlot());
        }
        downloads.finish();
        return part;
    }

    /** Returns the next part, or the end. Until it is ordered, the blocks of those before are emptied. */
    private Part nextPart() {
        Part part = parts.poll();
        while (part == null && downloads.finishOldest()) {
            part = parts.poll();
        }
        return part != null ? part : take();
    }

    private Part take() {
        try {
            return parts.take();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /** Waits until {@code y} is complete, if it is wanted, and until the device has all of x. */
    void finish() {
        if (y != null) {
            // Without a single step there is no kernel, but there may be an output.
            orderUpTo(1, run.steps());
        }
        upload.finish();
        parts.add(END);
        if (downloading != null) {
            Undisturbed.await(downloading);
        } else {
            download();
        }
    }

    /** Gives the pinned memory back, after waiting for whatever still uses it. */
    @Override
    public void close() {
        upload.close();
        if (downloading != null && !downloading.isDone()) {
            parts.add(END);
            try {
                Undisturbed.await(downloading);
            } catch (RuntimeException | Error ignored) {
                // Something failed before, which is reported.
            }
        }
        parts.stream()
                .filter(part -> part.computed() != null)
                .forEach(part -> part.computed().close());
        downloads.release();
    }

    private boolean isFirst(DeviceLayer layer) {
        return layer.index == 0;
    }

    private boolean isLast(DeviceLayer layer) {
        return layer.index == run.model().layerCount() - 1;
    }
}
