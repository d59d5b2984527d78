package io.github.cellfuse.batch;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * What one device does in a job, in three threads: while it computes a chunk, the next one is read and the one before
 * is written.
 *
 * <pre>
 *             read              compute             write
 *   source ---------> inputs -----------> outputs ---------> sink
 *               ^        |           ^       |
 *               +--------+           +-------+        memory of a chunk, used again: two inputs, two outputs
 * </pre>
 *
 * Only the thread that computes is ever interrupted: an interrupt would close the file that another one uses.
 */
final class Lane {
    /** What the lanes of a job share. */
    interface Work {
        ChunkSource source();

        /** Returns how many rows the chunks of a lane have that never failed. */
        ChunkLimit limit();

        RowQueue queue();

        /** Writes a chunk that {@code lane} has computed. */
        void write(Lane lane, OutputChunk chunk);

        /** Reports what {@code lane} does about a failure. */
        void report(Lane lane, Rows rows, Action action, Throwable failure);

        /** Ends the job: no lane could do better. */
        void fail(Throwable failure);

        /** Returns whether the job has ended. */
        boolean isOver();
    }

    private static final int MEMORIES = 2;

    /** How often a thread that waits for memory looks whether the lane has ended. */
    private static final long LOOK_MILLIS = 50;

    /** A device that fails at so many chunks, one after the other, is dropped. */
    private static final int MOST_FAILURES = 2;

    private final LstmEngine engine;
    private final Work work;
    private final BlockingQueue<InputChunk> emptyInputs = new ArrayBlockingQueue<>(MEMORIES);
    private final BlockingQueue<OutputChunk> emptyOutputs = new ArrayBlockingQueue<>(MEMORIES);
    /** Outputs without memory, which the thread that writes allocates: it has nothing else to do at first. */
    private final List<OutputChunk> newOutputs = new ArrayList<>();

    /** Chunks for the next thread; empty after the last one. */
    private final BlockingQueue<Optional<InputChunk>> inputs = new ArrayBlockingQueue<>(MEMORIES + 1);

    private final BlockingQueue<Optional<OutputChunk>> outputs = new ArrayBlockingQueue<>(MEMORIES + 1);
    private final Thread reader, computer, writer;

    /** The part of the usual rows that the device has memory for. */
    private volatile double share = 1;

    private volatile boolean dropped, hung;
    /** When the chunk that is being computed was begun, by {@link System#nanoTime}; 0 for none. */
    private volatile long computingSince;

    /** What is being computed, or was last. */
    private volatile Rows computing;

    private final AtomicLong rows = new AtomicLong(), chunks = new AtomicLong(), computeNanos = new AtomicLong();

    /** The thread that computes has this for itself: the session, null before the first chunk and after a failure. */
    private LstmSession session;

    private int failures;

    /**
     * Prepares a lane; its threads allocate the memory of the chunks.
     *
     * @param chunkRows the number of rows to compute at a time
     * @param needsY whether the sink reads y
     */
    Lane(LstmEngine engine, Work work, int chunkRows, boolean needsY) {
        this.engine = engine;
        this.work = work;
        LstmModel model = engine.model();
        int steps = work.source().steps();
        int memories = chunkRows >= work.source().rows() ? 1 : MEMORIES; // nothing overlaps in a single chunk
        for (int k = 0; k < memories; k++) {
            emptyInputs.add(new InputChunk(model, steps, chunkRows));
            newOutputs.add(new OutputChunk(model, steps, chunkRows, needsY));
        }
        reader = thread("read", this::readAll);
        computer = thread("compute", this::computeAll);
        writer = thread("write", this::writeAll);
    }

    /** A loop that may be interrupted. */
    private interface Loop {
        void run() throws InterruptedException;
    }

    private Thread thread(String does, Loop loop) {
        Thread thread = new Thread(
                () -> {
                    try {
                        loop.run();
                    } catch (InterruptedException e) {
                        if (!hasEnded()) {
                            work.fail(new CellFuseException("a thread of the job was interrupted", e));
                        }
                    } catch (RuntimeException | Error e) {
                        work.fail(e);
                    }
                },
                "cellfuse-" + does + "-" + engine.device());
        thread.setDaemon(true); // one that hangs in a driver must not keep the process
        return thread;
    }

    void start() {
        work.queue().join(this);
        threads().forEach(Thread::start);
    }

    LstmEngine engine() {
        return engine;
    }

    /** Returns whether the lane may still finish rows. */
    boolean isWorking() {
        return !dropped && isAlive();
    }

    /** Returns whether the device was still computing when it was dropped. */
    boolean isHung() {
        return hung;
    }

    private boolean hasEnded() {
        return dropped || work.isOver();
    }

    /** Returns whether any of the threads runs, except in a device that hangs. */
    boolean isAlive() {
        return threads().filter(thread -> !(hung && thread == computer)).anyMatch(Thread::isAlive);
    }

    private Stream<Thread> threads() {
        return Stream.of(reader, computer, writer);
    }

    /** Returns for how many nanoseconds the device has been computing the same chunk; 0 if it computes none. */
    long computingNanos() {
        long since = computingSince;
        return since == 0 ? 0 : System.nanoTime() - since;
    }

    /** Returns the rows that {@link #computingNanos} is about. */
    Rows computingRows() {
        return computing;
    }

    /** Returns how long this device takes for {@code count} rows, as far as is known; 0 if nothing is known. */
    long expectedNanos(int count) {
        long known = rows.get();
        return known == 0 ? 0 : (long) ((double) computeNanos.get() / known * count);
    }

    /** Counts a chunk that is done. */
    void count(OutputChunk chunk) {
        computeNanos.addAndGet(chunk.computeNanos());
        chunks.incrementAndGet();
        rows.addAndGet(chunk.rows().count());
    }

    BatchReport.Share share() {
        return new BatchReport.Share(
                engine.device(), rows.get(), chunks.get(), Duration.ofNanos(computeNanos.get()), dropped);
    }

    /** Gives up on a device that hangs: the thread that computes is left behind, and others get its rows. */
    void abandon() {
        hung = true;
        dropped = true;
        work.queue().abandon(this);
        computer.interrupt();
    }

    /** Ends a run whose results nobody needs any more, if the device can end it. */
    void interrupt() {
        if (computingSince != 0) {
            computer.interrupt();
        }
    }

    private void readAll() throws InterruptedException {
        try {
            InputChunk memory;
            while ((memory = poll(emptyInputs, this::hasEnded)) != null) {
                Rows next = work.queue().take(this, this::mostRows);
                if (next == null) {
                    break;
                }
                memory.read(work.source(), next);
                inputs.put(Optional.of(memory));
            }
        } finally {
            inputs.add(Optional.empty()); // also after a failure, or the next thread would wait for ever
        }
    }

    private void computeAll() throws InterruptedException {
        Optional<InputChunk> input = Optional.empty();
        try {
            while (!hasEnded()) {
                input = inputs.take();
                OutputChunk output = input.isEmpty() ? null : poll(emptyOutputs, this::hasEnded);
                if (output == null) {
                    break;
                }
                boolean done = isTooLarge(input.get()) ? giveBack(input.get()) : compute(input.get(), output);
                emptyInputs.put(input.get());
                if (done) {
                    outputs.put(Optional.of(output));
                } else {
                    emptyOutputs.put(output);
                }
            }
        } finally {
            if (!hung) {
                closeSession();
                outputs.add(Optional.empty());
            }
        }
        while (!hung && dropped && input.isPresent()) {
            input = inputs.take(); // what was read in vain, up to the end
            input.ifPresent(this::giveBack);
        }
    }

    private void writeAll() throws InterruptedException {
        for (OutputChunk output : newOutputs) {
            output.allocate();
            emptyOutputs.put(output);
        }
        while (true) {
            Optional<OutputChunk> chunk = poll(outputs, () -> hung);
            if (chunk == null || chunk.isEmpty()) {
                return;
            }
            work.write(this, chunk.get());
            emptyOutputs.put(chunk.get());
        }
    }

    /** Returns the next element, or null once {@code hasEnded} is true and there is none. */
    private static <T> T poll(BlockingQueue<T> queue, BooleanSupplier hasEnded) throws InterruptedException {
        T next = null;
        while (next == null && !hasEnded.getAsBoolean()) {
            next = queue.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
        return next;
    }

    /** Returns whether a chunk was read before it became known that the device's memory is too small for it. */
    private boolean isTooLarge(InputChunk chunk) {
        return chunk.rows().count() > mostRows(chunk.rows().first());
    }

    /** Returns the rows that a chunk from {@code first} on may have. */
    private int mostRows(long first) {
        return (int) Math.max(1, Math.round(work.limit().rows(first) * share));
    }

    private boolean giveBack(InputChunk chunk) {
        work.queue().giveBack(this, chunk.rows());
        return false;
    }

    /** Returns whether {@code into} has the results of {@code chunk}. If not, its rows are in the queue again. */
    private boolean compute(InputChunk chunk, OutputChunk into) {
        LstmOutput output = into.prepare(chunk);
        Throwable first = run(chunk, into, output);
        if (first == null) {
            return true;
        }
        if (hasEnded()) {
            return false;
        }
        work.report(this, chunk.rows(), Action.RETRY, first);
        Throwable again = run(chunk, into, output);
        if (again == null) {
            return true;
        }
        if (hasEnded()) {
            return false;
        }
        giveUp(chunk.rows(), again);
        return false;
    }

    /** Runs a chunk once and returns what failed; null if nothing did. */
    private Throwable run(InputChunk chunk, OutputChunk into, LstmOutput output) {
        long start = System.nanoTime();
        computing = chunk.rows();
        computingSince = start == 0 ? 1 : start;
        try {
            if (session == null) {
                session = engine.newSession();
            }
            session.run(chunk.input(), output);
            into.computed(chunk, System.nanoTime() - start);
            failures = 0;
            return null;
        } catch (InvalidInputException e) {
            throw e; // the batch is wrong, and would be on every device
        } catch (CellFuseException | OutOfMemoryError e) {
            closeSession(); // with its buffers and its queue: the next try gets others
            return e;
        } finally {
            computingSince = 0;
        }
    }

    private void giveUp(Rows chunk, Throwable failure) {
        boolean lacksMemory =
                failure instanceof OutOfMemoryError || failure instanceof CellFuseException e && e.isOutOfMemory();
        if (lacksMemory && chunk.count() > 1) {
            share = (chunk.count() + 1) / 2 / (double) work.limit().rows(chunk.first());
            work.report(this, chunk, Action.HALVE, failure);
            work.queue().giveBack(this, chunk);
            return;
        }
        failures++;
        boolean last = failures >= MOST_FAILURES || !work.queue().hasOthers(this);
        work.report(this, chunk, last ? Action.DROP : Action.MOVE, failure);
        if (last) {
            dropped = true;
            work.queue().leave(this);
        }
        work.queue().refuse(this, chunk);
    }

    private void closeSession() {
        if (session != null) {
            try {
                session.close();
            } catch (RuntimeException ignored) {
                // Its device has failed, which is reported; the engine frees what is left.
            }
            session = null;
        }
    }

    @Override
    public String toString() {
        return engine.device().toString();
    }
}
