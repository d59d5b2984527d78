package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClEvent;
import io.github.cellfuse.cl.Undisturbed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * Uploads x in parts. The session's thread fills the first part, as it has nothing to launch before. Another thread
 * fills those that follow, while the session's thread launches the steps that read the parts before.
 *
 * <p>A bidirectional layer needs both ends of its input first, so each part has slots of both. When they have met, the
 * remaining parts are empty.
 */
final class InputUpload implements AutoCloseable {
    private final PinnedTransfers transfers;
    private final BatchTransfer copy;
    private final ClBuffer input;
    private final int longest;

    /** Slots that have been uploaded, counted from the first slot on and from the last slot back. */
    private int front, back;
    /** All events of {@link #next}. Like the slots, they belong to the thread that fills. */
    private final List<ClEvent> moved = new ArrayList<>();

    /** The parts that {@link #next} hasn't returned. */
    private final Queue<Future<ClEvent>> parts = new ArrayDeque<>();
    /** What the other thread does; null if it never starts. */
    private Future<Void> filling;
    /** Tells the other thread to leave out the parts that it hasn't begun. */
    private volatile boolean stopped;

    /**
     * Prepares an upload; nothing is moved yet.
     *
     * @param transfers no other object may use it before {@link #close}
     * @param longest the slots of x to upload
     * @param input x {@code [T,rowPitch,stride]}
     */
    InputUpload(PinnedTransfers transfers, BatchTransfer copy, int longest, ClBuffer input) {
        this.transfers = transfers;
        this.copy = copy;
        this.longest = longest;
        this.input = input;
    }

    /** Uploads the first part, which {@code steps} steps of {@code layer} read, and starts what uploads the others. */
    void start(DeviceLayer layer, int steps) {
        List<FutureTask<ClEvent>> tasks = new ArrayList<>();
        for (int first = 1; first <= longest; first += steps) {
            int last = Math.min(first + steps - 1, longest);
            tasks.add(new FutureTask<>(() -> upload(layer, last)));
        }
        parts.addAll(tasks);
        if (!tasks.isEmpty()) {
            tasks.get(0).run();
        }
        if (tasks.size() > 1) {
            filling = Undisturbed.start("cellfuse-upload", () -> {
                tasks.subList(1, tasks.size()).forEach(FutureTask::run);
                return null;
            });
        }
    }

    /**
     * Waits until the next part has been given to the device.
     *
     * @return an event that is complete when the part is there; null if it is empty. The caller may close it
     * @throws RuntimeException why the part could not be uploaded
     */
    ClEvent next() {
        return Undisturbed.await(parts.remove());
    }

    /** Uploads what the steps up to {@code last} read and those before don't. */
    private ClEvent upload(DeviceLayer layer, int last) {
        if (stopped) {
            return null;
        }
        int before = front + back;
        if (layer.hasForward()) {
            upload(front + 1, Math.min(last, longest - back));
            front = Math.max(front, Math.min(last, longest - back));
        }
        if (layer.hasReverse()) {
            upload(Math.max(front + 1, longest - last + 1), longest - back);
            back = Math.max(back, Math.min(last, longest - front));
        }
        if (front + back == before) {
            return null;
        }
        ClEvent marker = transfers.marker();
        moved.add(marker);
        return marker;
    }

    private void upload(int firstSlot, int lastSlot) {
        if (firstSlot <= lastSlot) {
            copy.uploadInput(transfers, input, firstSlot, lastSlot);
        }
    }

    /** Waits until the device has all parts, after {@link #next} has returned them. */
    void finish() {
        awaitFilling();
        transfers.finish();
    }

    /** Uploads no further part, waits for the one that is being filled, and gives the pinned memory back. */
    @Override
    public void close() {
        stopped = true;
        awaitFilling();
        moved.forEach(ClEvent::close);
        transfers.release();
    }

    /** Waits for the end of the other thread, whose failures are those of the parts. */
    private void awaitFilling() {
        if (filling != null) {
            Undisturbed.await(filling);
        }
    }
}
