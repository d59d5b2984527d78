package io.github.cellfuse.batch;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
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
 *    files ---------> inputs -----------> outputs ---------> files
 *               ^        |           ^       |
 *               +--------+           +-------+        memory of a chunk, used again: two inputs, two outputs
 * </pre>
 *
 * Only the thread that computes is ever interrupted: an interrupt would close the file that another one uses.
 *
 * @param <I> the memory for the input of a chunk
 * @param <O> the memory for the results of a chunk
 */
final class Lane<I extends ChunkInput, O extends ChunkOutput> {
    /** What the lanes of a job share. */
    interface Work {
        /** Returns how many rows the chunks of a lane have that never failed. */
        ChunkLimit limit();

        RowQueue queue();

        /** Sees a chunk that {@code lane} has just computed, before its memory is used again. */
        void computed(Lane<?, ?> lane, Rows rows, ChunkInput input, ChunkOutput results);

        /** Writes a chunk that {@code lane} has computed. */
        void write(Lane<?, ?> lane, Computed<?> chunk);

        /** Reports what {@code lane} does about a failure. */
        void report(Lane<?, ?> lane, Rows rows, Action action, Throwable failure);

        /** Ends the job: no lane could do better. */
        void fail(Throwable failure);

        /** Returns whether the job has ended. */
        boolean isOver();
    }

    /** A chunk that has been read, and how long that took. */
    private record Loaded<I>(I input, Rows rows, long nanos) {}

    /**
     * A chunk that has been computed.
     *
     * @param output its results
     * @param flops floating-point operations of its rows; 0 if that isn't known
     * @param validSteps the valid steps of its rows
     * @param paddingSteps the steps that were in memory besides
     * @param readNanos how long reading it took
     * @param computeNanos how long computing it took
     */
    record Computed<O extends ChunkOutput>(
            O output, Rows rows, long flops, long validSteps, long paddingSteps, long readNanos, long computeNanos) {}

    private static final int MEMORIES = 2;

    /** How often a thread that waits for memory looks whether the lane has ended. */
    private static final long LOOK_MILLIS = 50;

    /** A device that fails at so many chunks, one after the other, is dropped. */
    private static final int MOST_FAILURES = 2;

    private final BatchEngine<I, O> engine;
    private final Work work;
    private final BlockingQueue<I> emptyInputs = new ArrayBlockingQueue<>(MEMORIES);
    private final BlockingQueue<O> emptyOutputs = new ArrayBlockingQueue<>(MEMORIES);
    /** Outputs without memory, which the thread that writes allocates: it has nothing else to do at first. */
    private final List<O> newOutputs = new ArrayList<>();

    /** Chunks for the next thread; empty after the last one. */
    private final BlockingQueue<Optional<Loaded<I>>> inputs = new ArrayBlockingQueue<>(MEMORIES + 1);

    private final BlockingQueue<Optional<Computed<O>>> outputs = new ArrayBlockingQueue<>(MEMORIES + 1);
    private final Thread reader, computer, writer;

    /** The part of the usual rows that the device has memory for. */
    private volatile double share = 1;

    private volatile boolean dropped, hung;
    /** When the chunk that is being computed was begun, by {@link System#nanoTime}; 0 for none. */
    private volatile long computingSince;

    /** What is being computed, or was last. */
    private volatile Rows computing;

    private final AtomicLong rows = new AtomicLong(), chunks = new AtomicLong(), computeNanos = new AtomicLong();

    /** The session, null before the first chunk and after a failure. Only the thread that computes sets it. */
    private volatile ChunkSession<I, O> session;

    private int failures;

    /**
     * Prepares a lane; its threads allocate the memory of the chunks.
     *
     * @param chunkRows the number of rows to compute at a time
     * @param isOneChunk whether these are all rows of the job: then nothing overlaps
     */
    Lane(BatchEngine<I, O> engine, Work work, int chunkRows, boolean isOneChunk) {
        this.engine = engine;
        this.work = work;
        for (int k = 0; k < (isOneChunk ? 1 : MEMORIES); k++) {
            emptyInputs.add(engine.newInput(chunkRows));
            newOutputs.add(engine.newOutput(chunkRows));
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

    /** Begins, after it has joined the queue. */
    void start() {
        threads().forEach(Thread::start);
    }

    BatchEngine<I, O> engine() {
        return engine;
    }

    Device device() {
        return engine.device();
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
    void count(Computed<?> chunk) {
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
        interrupt();
    }

    /** Uses the device no more, as its results are wrong: others get its rows, and it is as if it had done none. */
    void distrust() {
        dropped = true;
        work.queue().abandon(this);
        rows.set(0);
        chunks.set(0);
        interrupt();
    }

    /** Ends a run whose results nobody needs any more, if the device can end it. */
    void interrupt() {
        ChunkSession<I, O> running = session;
        if (computingSince != 0 && running != null) {
            running.interrupt(computer);
        } else if (computingSince != 0) {
            computer.interrupt(); // a session is being opened
        }
    }

    private void readAll() throws InterruptedException {
        try {
            I memory;
            while ((memory = poll(emptyInputs, this::hasEnded)) != null) {
                Rows next = work.queue().take(this, this::mostRows);
                if (next == null) {
                    break;
                }
                long start = System.nanoTime();
                memory.read(next.first(), next.count());
                inputs.put(Optional.of(new Loaded<>(memory, next, System.nanoTime() - start)));
            }
        } finally {
            inputs.add(Optional.empty()); // also after a failure, or the next thread would wait for ever
        }
    }

    private void computeAll() throws InterruptedException {
        Optional<Loaded<I>> chunk = Optional.empty();
        try {
            while (!hasEnded()) {
                chunk = inputs.take();
                O memory = chunk.isEmpty() ? null : poll(emptyOutputs, this::hasEnded);
                if (memory == null) {
                    break;
                }
                Optional<Computed<O>> computed =
                        isTooLarge(chunk.get()) ? giveBack(chunk.get()) : compute(chunk.get(), memory);
                if (computed.isPresent()) {
                    work.computed(this, chunk.get().rows(), chunk.get().input(), memory);
                }
                emptyInputs.put(chunk.get().input());
                if (computed.isPresent()) {
                    outputs.put(computed);
                } else {
                    emptyOutputs.put(memory);
                }
            }
        } finally {
            if (!hung) {
                closeSession();
                outputs.add(Optional.empty());
            }
        }
        while (!hung && dropped && chunk.isPresent()) {
            chunk = inputs.take(); // what was read in vain, up to the end
            chunk.ifPresent(this::giveBack);
        }
    }

    private void writeAll() throws InterruptedException {
        for (O output : newOutputs) {
            output.allocate();
            emptyOutputs.put(output);
        }
        while (true) {
            Optional<Computed<O>> chunk = poll(outputs, () -> hung);
            if (chunk == null || chunk.isEmpty()) {
                return;
            }
            work.write(this, chunk.get());
            emptyOutputs.put(chunk.get().output());
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
    private boolean isTooLarge(Loaded<I> chunk) {
        return chunk.rows().count() > work.queue().largest(mostRows(chunk.rows().first()));
    }

    /** Returns the rows that a chunk from {@code first} on may have. */
    private int mostRows(long first) {
        return (int) Math.max(1, Math.round(work.limit().rows(first) * share));
    }

    private Optional<Computed<O>> giveBack(Loaded<I> chunk) {
        work.queue().giveBack(this, chunk.rows());
        return Optional.empty();
    }

    /** Returns the results of {@code chunk} in {@code into}. If there are none, its rows are in the queue again. */
    private Optional<Computed<O>> compute(Loaded<I> chunk, O into) {
        for (int attempt = 0; ; attempt++) {
            long start = System.nanoTime();
            Throwable failure = run(chunk, into, start);
            if (failure == null) {
                failures = 0;
                long nanos = System.nanoTime() - start;
                I input = chunk.input();
                return Optional.of(new Computed<>(
                        into,
                        chunk.rows(),
                        input.flops(),
                        input.validSteps(),
                        input.paddingSteps(),
                        chunk.nanos(),
                        nanos));
            }
            if (hasEnded()) {
                return Optional.empty();
            }
            if (attempt > 0) {
                giveUp(chunk.rows(), failure);
                return Optional.empty();
            }
            work.report(this, chunk.rows(), Action.RETRY, failure);
        }
    }

    /** Runs a chunk once and returns what failed; null if nothing did. */
    private Throwable run(Loaded<I> chunk, O into, long start) {
        computing = chunk.rows();
        computingSince = orOne(start);
        try {
            if (session == null) {
                session = engine.newSession();
            }
            session.run(chunk.input(), into, () -> computingSince = orOne(System.nanoTime()));
            return null;
        } catch (InvalidInputException | FatalBatchException e) {
            throw e; // the batch is wrong, and would be on every device
        } catch (CellFuseException | OutOfMemoryError e) {
            closeSession(); // with its buffers and its queue: the next try gets others
            return e;
        } finally {
            computingSince = 0;
        }
    }

    /** Returns a time that isn't 0, which would mean none. */
    private static long orOne(long nanoTime) {
        return nanoTime == 0 ? 1 : nanoTime;
    }

    private void giveUp(Rows chunk, Throwable failure) {
        boolean lacksMemory =
                failure instanceof OutOfMemoryError || failure instanceof CellFuseException e && e.isOutOfMemory();
        if (lacksMemory && work.queue().canHalve(chunk)) {
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
        ChunkSession<I, O> old = session;
        if (old != null) {
            try {
                old.close();
            } catch (RuntimeException ignored) {
                // Its device has failed, which is reported; the engine frees what is left.
            }
            session = null;
        }
    }

    @Override
    public String toString() {
        return device().toString();
    }
}
