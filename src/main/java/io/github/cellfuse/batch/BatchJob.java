package io.github.cellfuse.batch;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.DeviceTrouble.Action;
import io.github.cellfuse.spi.ChunkRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Runs a batch of any size, which need not fit in memory, on one or several devices at once.
 *
 * <pre>{@code
 * BatchReport report = new BatchJob(List.of(engine), source, sink, chunkRows).withListener(listener).run();
 * }</pre>
 *
 * <p>The rows are computed in chunks. Each device takes the next chunk when it has finished one; while it computes, the
 * next chunk is read and the one before is written. Which device computed which rows can't be seen in the result,
 * because the devices of one tier give the same bits.
 *
 * <p><b>Failures.</b> A chunk at which a device fails is tried once more in a new session. Then, if the device lacked
 * memory, half as many rows are tried; otherwise another device gets the chunk. A device that fails at two chunks in
 * succession, or is the only one, is dropped, and so is one that has been computing a chunk for longer than the
 * {@linkplain #withPatience patience}. When none is left, the {@linkplain #withFallback fallback} finishes the batch if
 * there is one. Errors of the source, of the sink and of the listener end the job.
 *
 * <p><b>Wrong values.</b> Now and then a row that an exact device has computed is computed again on the {@code java}
 * device, in a thread of its own. If a bit differs, the device is dropped, and all rows that it has done in this job
 * are computed again by others. Such {@linkplain #withSpotChecks spot checks} find a device that is often wrong, not a
 * single wrong value.
 *
 * <p>A job runs once. It doesn't close engines, source, sink or journal. {@link #cancel} may be called by any thread.
 */
public final class BatchJob {
    /** How long a device may compute one chunk, unless a caller says otherwise. */
    public static final Duration PATIENCE = Duration.ofMinutes(10);

    private static final long LOOK_MILLIS = 20;

    private final List<BatchEngine<?, ?>> engines;
    private final long rows;
    private final BatchOutput output;
    private final int chunkRows;
    private final int fewestRows;
    private ChunkLimit limit;
    private Duration patience = PATIENCE;
    private boolean mixesTiers;
    private long window = Long.MAX_VALUE;
    private Runnable endReading = () -> {};
    private Optional<Supplier<BatchEngine<?, ?>>> fallback = Optional.empty();
    private Optional<Journal> journal = Optional.empty();
    private double checkedShare = SpotChecks.SHARE;
    private BatchListener listener = BatchListener.NONE;

    private final List<Lane<?, ?>> lanes = new CopyOnWriteArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Totals totals = new Totals();
    private final Object listening = new Object();
    /** Writers share it; whoever takes rows back has it alone, so that nothing is half written then. */
    private final ReadWriteLock writing = new ReentrantReadWriteLock();

    private volatile boolean over;
    private volatile Throwable lastTrouble;
    /** Null before the job begins. */
    private volatile RowQueue queue;

    private volatile Checkpoints checkpoints;
    private volatile SpotChecks checks;

    /**
     * Prepares a job that runs an LSTM; nothing is computed yet.
     *
     * @param engines the devices, with the same model
     * @param source the rows
     * @param sink where the results go
     * @param chunkRows the rows to compute at a time, and what memory is allocated for: so many of all {@code T} steps
     * @throws InvalidInputException if the number of rows isn't positive
     */
    public BatchJob(List<LstmEngine> engines, ChunkSource source, ChunkSink sink, int chunkRows) {
        this(
                engines.stream()
                        .<BatchEngine<?, ?>>map(engine -> BatchEngine.of(engine, source, sink))
                        .toList(),
                source.rows(),
                sink,
                chunkRows,
                1);
    }

    /**
     * Prepares any job; nothing is computed yet.
     *
     * @param engines the devices, which compute the same
     * @param rows the number of rows
     * @param output where the engines write the results
     * @param chunkRows the rows to compute at a time
     * @param fewestRows the fewest rows to compute at a time, unless there are fewer at all. So that the last chunk has
     *     that many, a chunk may have up to {@code fewestRows - 1} rows more than {@code chunkRows}.
     * @throws InvalidInputException if the number of rows isn't positive
     */
    public BatchJob(
            List<? extends BatchEngine<?, ?>> engines, long rows, BatchOutput output, int chunkRows, int fewestRows) {
        if (engines.isEmpty()) {
            throw new IllegalArgumentException("expected at least one engine");
        }
        if (chunkRows < 1) {
            throw new InvalidInputException("rows of a chunk: expected at least 1, found " + chunkRows);
        }
        this.engines = List.copyOf(engines);
        this.rows = rows;
        this.output = output;
        this.chunkRows = chunkRows;
        this.fewestRows = fewestRows;
        limit = firstRow -> chunkRows;
    }

    private void checkTiers() {
        BatchEngine<?, ?> first = engines.get(0);
        engines.stream()
                .filter(engine -> engine.tier() != first.tier())
                .findFirst()
                .ifPresent(other -> {
                    throw new InvalidInputException("devices: expected one tier, found " + first.device() + " ("
                            + name(first.tier()) + ") and " + other.device() + " (" + name(other.tier())
                            + "): which of them computes a row would show in the result; mixed tiers can be allowed"
                            + " (run --mixed-tiers)");
                });
    }

    private static String name(Tier tier) {
        return tier.name().toLowerCase(Locale.ROOT);
    }

    /** Sets how long a device may compute one chunk before it counts as failed. Returns this job. */
    public BatchJob withPatience(Duration longest) {
        patience = longest;
        return this;
    }

    /**
     * Sets how many rows a chunk has, depending on where it begins: no more of them than have room in the memory for
     * the constructor's number of rows. Returns this job.
     */
    public BatchJob withLimit(ChunkLimit most) {
        limit = most;
        return this;
    }

    /**
     * Lets the source forget rows, and the output receive them in order: between the first row that isn't finished and
     * the last one that is begun, there are never more than {@code rows} rows, and no row is computed by two devices at
     * the same time. If a device is found to be wrong, its rows are read and written again nevertheless; source and
     * output then refuse that, which ends the job. Returns this job.
     *
     * @param rows at least the rows of a chunk; more let reading, computing and writing overlap
     * @param end called when nothing is read any more, to end a read that may wait for ever
     */
    public BatchJob withWindow(long rows, Runnable end) {
        window = rows;
        endReading = end;
        return this;
    }

    /** Allows devices of several tiers, so that the results' last bits depend on chance. Returns this job. */
    public BatchJob withMixedTiers() {
        mixesTiers = true;
        return this;
    }

    /**
     * Sets what opens an engine when no device is left. Returns this job.
     *
     * @param opener called at most once, for example for {@code BatchEngine.of(javaEngine, source, sink)}; the caller
     *     closes what it opens after the job
     */
    public BatchJob withFallback(Supplier<BatchEngine<?, ?>> opener) {
        fallback = Optional.of(opener);
        return this;
    }

    /**
     * Sets the journal of finished rows. Rows that it has already are left out if the sink still has them. Returns this
     * job.
     */
    public BatchJob withJournal(Journal finished) {
        journal = Optional.of(finished);
        return this;
    }

    /**
     * Sets the share of the time of one core that spot checks may take, 0.02 by default. More checks find a device that
     * is rarely wrong sooner: one with a share p of wrong rows passes k checks with a probability of (1-p)^k. A row of
     * each device's first and last chunk is checked whatever the share, if that takes less than about half a second.
     * Devices of other tiers than exact aren't checked, nor are models whose second copy would take more than an eighth
     * of Java's heap. Returns this job.
     *
     * @param share above 0, up to 1
     */
    public BatchJob withSpotChecks(double share) {
        if (!(share > 0 && share <= 1)) {
            throw new InvalidInputException("share of spot checks: expected more than 0, up to 1, found " + share);
        }
        checkedShare = share;
        return this;
    }

    /** Relies on what the devices compute, without checks. Returns this job. */
    public BatchJob withoutSpotChecks() {
        checkedShare = 0;
        return this;
    }

    /** Sets what receives the events. Returns this job. */
    public BatchJob withListener(BatchListener receiver) {
        listener = receiver;
        return this;
    }

    /**
     * Computes all rows and returns what was done.
     *
     * @throws InvalidInputException if devices of several tiers are mixed, the source's data is wrong, or the model
     *     can't run it
     * @throws CellFuseException if reading or writing fails, every device has failed, or the job was cancelled. What
     *     has been finished is in the journal.
     */
    public BatchReport run() {
        if (!mixesTiers) {
            checkTiers();
        }
        long start = System.nanoTime();
        List<Rows> finished = finished();
        output.reserve();
        boolean isInOrder = window < Long.MAX_VALUE;
        queue = new RowQueue(
                rows,
                fewestRows,
                finished,
                !isInOrder && engines.stream().allMatch(engine -> engine.tier() == Tier.EXACT));
        queue.setWindow(window);
        checkpoints = new Checkpoints(journal, output);
        checks = new SpotChecks(checkedShare, judge);
        if (engines.stream().anyMatch(checks::covers)) {
            queue.letGrow();
        }
        long before = rows - queue.left();
        try {
            listener.onBegin(before);
            // All of them join before the first one begins: if it fails at once, it has to know that there are others.
            engines.stream().<Lane<?, ?>>map(this::addLane).toList().forEach(Lane::start);
            while (!over && !checks.isOver(queue)) {
                watch();
                pause();
            }
        } catch (RuntimeException | Error e) {
            fail(e);
        } finally {
            end();
        }
        Throwable failed = failure.get();
        if (failed != null) {
            throw asThrown(failed);
        }
        if (queue.left() > 0) {
            throw new CellFuseException("cancelled with " + queue.left() + " of " + rows + " rows left");
        }
        List<BatchReport.Share> shares = lanes.stream().map(Lane::share).toList();
        return totals.report(rows, before, rowsChecked(), System.nanoTime() - start, shares);
    }

    /** Returns the rows that the sink has as an earlier job wrote them. */
    private List<Rows> finished() {
        List<Rows> finished = new ArrayList<>();
        for (Journal.Entry entry : journal.map(Journal::entries).orElse(List.of())) {
            if (output.checksum(entry.firstRow(), entry.rows()) == entry.checksum()) {
                output.markWritten(entry.firstRow(), entry.rows());
                finished.add(new Rows(entry.firstRow(), entry.rows()));
            }
        }
        return finished;
    }

    private static RuntimeException asThrown(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        return (RuntimeException) failure;
    }

    private <I extends ChunkInput, O extends ChunkOutput> Lane<?, ?> addLane(BatchEngine<I, O> engine) {
        Lane<I, O> lane = new Lane<>(engine, work, (int) Math.min(chunkRows, rows), chunkRows >= rows);
        lanes.add(lane);
        queue.join(lane);
        return lane;
    }

    /** Drops devices that hang, and lets the fallback begin when no device is left. */
    private void watch() {
        for (Lane<?, ?> lane : lanes) {
            if (lane.isWorking() && lane.computingNanos() > patience.toNanos()) {
                CellFuseException hangs = new CellFuseException(
                        "no progress for " + patience.toSeconds() + " s, so the device counts as failed");
                Rows hanging = lane.computingRows();
                lane.abandon();
                work.report(lane, hanging, Action.DROP, hangs);
            }
        }
        if (lanes.stream().noneMatch(Lane::isWorking) && queue.left() > 0 && !over) {
            if (fallback.isEmpty()) {
                Throwable last = Objects.requireNonNull(lastTrouble, "a lane ends early only if it fails");
                throw new CellFuseException("no device is left: " + last.getMessage(), last);
            }
            BatchEngine<?, ?> engine = fallback.get().get();
            fallback = Optional.empty();
            addLane(engine).start();
        }
    }

    private void pause() {
        try {
            if (queue.left() > 0) {
                queue.await(LOOK_MILLIS);
            } else {
                checks.await(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CellFuseException("the job was interrupted", e);
        }
    }

    /** Waits for the threads and notes in the journal what has been finished, if that isn't everything. */
    private void end() {
        over = true;
        queue.close();
        endReading.run();
        lanes.forEach(Lane::interrupt);
        boolean interrupted = Thread.interrupted();
        long deadline = System.nanoTime() + patience.toNanos();
        while ((lanes.stream().anyMatch(Lane::isAlive) || !checks.areMade()) && System.nanoTime() < deadline) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        checks.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        try {
            // A complete output is made durable once, by whoever gives it its name.
            if (queue.left() > 0) {
                checkpoints.commit();
            }
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    /**
     * Ends the job as soon as possible and notes in the journal what has been finished; {@link #run} then throws. Has
     * no effect after the job's end.
     */
    public void cancel() {
        over = true;
        if (checkpoints != null) {
            queue.close();
            checkpoints.commit();
        }
    }

    /**
     * Notes in the journal what has been finished, also what a job that is complete has left to whoever gives the
     * output its name. After {@link #run}.
     */
    public void checkpoint() {
        checkpoints.commit();
    }

    /** Returns how many rows have been computed again so far, to check a device. */
    long rowsChecked() {
        return checks.checked();
    }

    /** Returns whether {@code device} hangs: closing its engine would wait for it. */
    public boolean isHung(Device device) {
        return lanes.stream().anyMatch(lane -> lane.device().equals(device) && lane.isHung());
    }

    private void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
        over = true;
        queue.close();
    }

    private void tell(DeviceTrouble trouble, Throwable cause) {
        lastTrouble = cause;
        ChunkRecord.trouble(trouble.device(), trouble.firstRow(), trouble.rows(), trouble.toString());
        synchronized (listening) {
            listener.onTrouble(trouble);
        }
    }

    private final SpotChecks.Judge judge = new SpotChecks.Judge() {
        @Override
        public void wrong(Lane<?, ?> lane, long row, String difference) {
            Device device = lane.device();
            String reason = "a spot check found a wrong value, " + difference + " (cellfuse verify shows more)";
            CellFuseException cause = new CellFuseException(device + ": " + reason);
            lastTrouble = cause; // before the lane ends, perhaps the last one
            writing.writeLock().lock();
            try {
                List<Rows> wrong = checks.distrust(lane);
                lane.distrust();
                // First durably: whatever happens then, a job that continues computes them again.
                checkpoints.revoke(wrong);
                queue.takeBack(wrong);
            } finally {
                writing.writeLock().unlock();
            }
            tell(new DeviceTrouble(device, row, 1, Action.DISTRUST, reason), cause);
        }

        @Override
        public void failed(Throwable cause) {
            fail(cause);
        }
    };

    private final Lane.Work work = new Lane.Work() {
        @Override
        public ChunkLimit limit() {
            return limit;
        }

        @Override
        public RowQueue queue() {
            return queue;
        }

        @Override
        public boolean isOver() {
            return over;
        }

        @Override
        public void fail(Throwable cause) {
            BatchJob.this.fail(cause);
        }

        @Override
        public void report(Lane<?, ?> lane, Rows at, Action action, Throwable cause) {
            String reason =
                    cause instanceof OutOfMemoryError ? "out of memory: " + cause.getMessage() : cause.getMessage();
            tell(new DeviceTrouble(lane.device(), at.first(), at.count(), action, reason), cause);
        }

        @Override
        public void computed(Lane<?, ?> lane, Rows at, ChunkInput input, ChunkOutput results) {
            checks.computed(lane, at, input, results);
        }

        @Override
        public void write(Lane<?, ?> lane, Lane.Computed<?> chunk) {
            long start = System.nanoTime();
            long nanos;
            writing.readLock().lock();
            try {
                if (!checks.trusts(lane) || !queue.isWanted(chunk.rows())) {
                    return; // another device was faster, or has to be
                }
                checks.writes(lane, chunk.rows());
                int checksum =
                        chunk.output().write(chunk.rows().first(), chunk.rows().count());
                nanos = System.nanoTime() - start;
                if (!queue.finish(chunk.rows())) {
                    return; // another device has just written the same
                }
                lane.count(chunk);
                totals.add(chunk, nanos);
                checkpoints.finished(chunk.rows(), checksum);
            } finally {
                writing.readLock().unlock();
            }
            done(lane.device(), chunk, nanos);
        }

        private void done(Device device, Lane.Computed<?> chunk, long nanos) {
            synchronized (listening) {
                ChunkMetrics metrics = new ChunkMetrics(
                        device,
                        chunk.rows().first(),
                        chunk.rows().count(),
                        chunk.flops(),
                        chunk.paddingSteps(),
                        chunk.readNanos(),
                        chunk.computeNanos(),
                        nanos,
                        rows - queue.left());
                ChunkRecord.done(
                        device, metrics.firstRow(), metrics.rows(), chunk.readNanos(), chunk.computeNanos(), nanos);
                listener.onChunk(metrics);
            }
        }
    };
}
