package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClEvent;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import java.util.ArrayList;
import java.util.List;

/**
 * Launches kernels and keeps their events, which tell when the device began and ended each. That makes each launch
 * slower. Belongs to one thread.
 */
final class TimedLaunches implements Launcher {
    private record Pending(String kernel, ClEvent event) {}

    private final ClQueue queue;
    private final List<Pending> pending = new ArrayList<>();

    /** @param queue a profiling queue */
    TimedLaunches(ClQueue queue) {
        this.queue = queue;
    }

    @Override
    public void launch(ClKernel kernel, NdRange range) {
        pending.add(new Pending(kernel.name(), queue.launchEvent(kernel, range)));
    }

    /** Waits for the launches since the last call and returns them, in the order in which they were enqueued. */
    List<KernelProfile.Launch> take() {
        try {
            return pending.stream()
                    .map(each -> {
                        ClEvent.Times times = each.event().times();
                        return new KernelProfile.Launch(each.kernel(), times.started(), times.ended());
                    })
                    .toList();
        } finally {
            drop();
        }
    }

    /** Forgets the launches since the last call. */
    void drop() {
        pending.forEach(each -> each.event().close());
        pending.clear();
    }
}
