package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.cl.ClQueue;
import java.util.List;

/**
 * Runs batches as a session does, and records when the device began and ended each kernel. That makes each launch
 * slower, so time whole runs in an ordinary session. Belongs to one thread; close it before its engine.
 *
 * <p>All of x is on the device before the first kernel, and y comes back after the last one. So the time between them
 * is that of the kernels and of their launches. An ordinary session may move a large batch in parts meanwhile, with a
 * few launches more.
 */
public final class KernelProfile implements AutoCloseable {
    /**
     * One launch of a kernel.
     *
     * @param kernel its name, such as {@code lstm_step}
     * @param started nanoseconds of the device's own clock
     * @param ended nanoseconds of the same clock
     */
    public record Launch(String kernel, long started, long ended) {
        /** Returns how long the kernel ran, in seconds. */
        public double seconds() {
            return (ended - started) * 1e-9;
        }
    }

    private final OpenClSession session;
    private final TimedLaunches launches;

    /**
     * Prepares a session of {@code engine}.
     *
     * @throws IllegalArgumentException if the engine isn't on an OpenCL device
     */
    public KernelProfile(LstmEngine engine) {
        if (!(engine instanceof OpenClEngine on)) {
            throw new IllegalArgumentException("expected an engine on an OpenCL device, found " + engine.device());
        }
        ClQueue queue = on.context().profilingQueue();
        launches = new TimedLaunches(queue);
        session = new OpenClSession(on, queue, launches);
    }

    /** Runs one batch and returns its launches, in the order in which they were enqueued. */
    public List<Launch> run(LstmInput input, LstmOutput output) {
        try {
            session.run(input, output);
            return launches.take();
        } finally {
            launches.drop(); // those of a run that failed
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
