package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClException;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.LaunchRecord;
import io.github.cellfuse.spi.RowOrder;
import io.github.cellfuse.spi.RunReport;
import io.github.cellfuse.spi.SessionGuard;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Runs batches on an OpenCL device. A batch goes in sorted by length, each layer loops over its time steps on the
 * device, and the results come back in the caller's order. The host waits once, for the results.
 *
 * <p>Hidden states are in a history of time slots (see {@link RowOrder} and {@code kernels/step_parameters.cl}). A
 * layer reads the history of the layer below as its input, in place.
 */
final class OpenClSession implements LstmSession {
    /**
     * Held while cooperative work-items run on a device. Two such launches at the same time, each with a part of the
     * device, would wait for each other in vain. So all engines of the process on a device share its lock.
     */
    private static final Map<String, ReentrantLock> COOPERATIVE_LAUNCHES = new ConcurrentHashMap<>();

    private record LayerKey(int layer, PlanChoice choice) {}

    private final OpenClEngine engine;
    private final SessionGuard guard;
    /** The lock of the device. */
    private final ReentrantLock alone;

    private final ClQueue queue;
    private final Launcher launcher;
    /** What the Flight Recorder gets after each run; null in a session that it doesn't watch. */
    private final TimedLaunches recorded;

    private final Transfers transfers;
    private final Workspace workspace;
    /** Move large batches while kernels run; null before the first. */
    private PinnedTransfers uploads, downloads;
    /** What the cells store; null in an ordinary session. */
    private final DeviceTrace trace;

    private final Map<LayerKey, LayerRun> layers = new HashMap<>();
    /** How many programs from disk had turned out to be unusable when the first of these was opened. */
    private int rebuilds;
    /** The choices that have run before. */
    private final Set<PlanChoice> measured = new HashSet<>();
    /** The states of the streams that are open. */
    private final Set<StreamStates> streams = ConcurrentHashMap.newKeySet();

    OpenClSession(OpenClEngine engine) {
        this(engine, false);
    }

    /** A session whose cells store what they compute if {@code isTraced}. */
    OpenClSession(OpenClEngine engine, boolean isTraced) {
        this(engine, engine.context().queue(), null, null, isTraced);
    }

    /** A session that owns {@code queue}, a profiling one, and whose launches the caller takes. */
    OpenClSession(OpenClEngine engine, ClQueue queue, TimedLaunches launches) {
        this(engine, queue, launches, null, false);
    }

    /** A session that tells the Flight Recorder of its launches and copies. */
    static OpenClSession recorded(OpenClEngine engine) {
        ClQueue queue = engine.context().profilingQueue();
        TimedLaunches launches = new TimedLaunches(queue);
        return new OpenClSession(engine, queue, launches, launches, false);
    }

    /**
     * @param timed where kernels go; null for the queue
     * @param recorded the launches to record after each run; null for none
     */
    private OpenClSession(
            OpenClEngine engine, ClQueue queue, TimedLaunches timed, TimedLaunches recorded, boolean isTraced) {
        this.engine = engine;
        alone = COOPERATIVE_LAUNCHES.computeIfAbsent(
                engine.context().device().toString(), device -> new ReentrantLock());
        this.queue = queue;
        rebuilds = engine.programs().rebuilds();
        launcher = timed == null ? queue::launch : timed;
        this.recorded = recorded;
        workspace = new Workspace(engine.context(), queue);
        transfers = new Transfers(queue);
        guard = new SessionGuard(engine.lifetime());
        trace = isTraced ? new DeviceTrace(engine.context(), queue, transfers) : null;
        guard.watch(this);
    }

    @Override
    public LstmEngine engine() {
        return engine;
    }

    @Override
    public void run(LstmInput batch, LstmOutput output) {
        RunReport report = engine.runs().begin();
        guard.use(() -> record(() -> withUsablePrograms(() -> compute(batch, output, report))));
        report.done(engine, batch);
    }

    /** Does {@code work}, and tells the Flight Recorder of its launches if it wants to know. */
    private void record(Runnable work) {
        if (recorded == null) {
            work.run();
            return;
        }
        try {
            work.run();
            List<KernelProfile.Launch> launches = recorded.take();
            for (KernelProfile.Launch each : launches) {
                long after = each.started() - launches.get(0).started();
                LaunchRecord.kernel(engine.device(), each.kernel(), after, each.ended() - each.started());
            }
        } finally {
            recorded.drop(); // those of a run that failed
        }
    }

    /** Copies a tensor, and tells the Flight Recorder if it wants to know. */
    private void move(String tensor, long floats, Runnable copy) {
        if (recorded == null) {
            copy.run();
        } else {
            LaunchRecord.transfer(engine.device(), tensor, floats * Float.BYTES, copy);
        }
    }

    /** Runs a batch of a session whose cells are traced. */
    void run(LstmInput batch, LstmOutput output, CellListener listener) {
        guard.use(() -> {
            withUsablePrograms(() -> {
                trace.begin(engine.model().layerCount(), listener);
                compute(batch, output, RunReport.NONE);
            });
        });
    }

    /** Does {@code work}, and once more with new kernels if programs from disk fail at their first launch. */
    private void withUsablePrograms(Runnable work) {
        try {
            work.run();
        } catch (ClException e) {
            if (!engine.programs().rebuild(e, rebuilds)) {
                throw e;
            }
            rebuilds = engine.programs().rebuilds();
            layers.values().forEach(LayerRun::close);
            layers.clear();
            work.run();
        }
    }

    private void compute(LstmInput batch, LstmOutput output, RunReport report) {
        batch.check(engine.model());
        output.check(engine.model(), batch);
        RowOrder rows = new RowOrder(batch);
        PlanChoice choice = choose(batch, true);
        report.ready();
        report.plan(choice.plan());
        if (!choice.groups().isCooperative()) {
            computeTimed(batch, rows, choice, output);
            return;
        }
        boolean done;
        report.waits();
        alone.lock();
        try {
            report.proceeds();
            done = computeTimed(batch, rows, choice, output);
        } finally {
            alone.unlock();
        }
        if (!done) {
            PlanChoice steps = choose(batch, false);
            report.plan(steps.plan());
            computeTimed(batch, rows, steps, output);
        }
    }

    /**
     * Lets the engine learn from the time that the batch takes.
     *
     * @return whether {@code output} holds the result: false if cooperative work-items gave up waiting
     */
    private boolean computeTimed(LstmInput batch, RowOrder rows, PlanChoice choice, LstmOutput output) {
        Cooperation cooperation = engine.cooperation();
        // What the cells store takes time of its own, which says nothing about other runs.
        double estimate = trace != null
                ? Double.POSITIVE_INFINITY
                : choice.secondsWithoutWaiting() * engine.model().layerCount();
        long start = System.nanoTime();
        boolean done = compute(batch, rows, choice, output, cooperation.patience(estimate));
        long nanos = System.nanoTime() - start;
        boolean isFirst = measured.add(choice); // may have compiled
        if (!done) {
            cooperation.gaveUp(nanos);
        } else if (!isFirst && choice.groups().isCooperative()) {
            cooperation.ranTogether(estimate, nanos);
        } else if (!isFirst) {
            cooperation.ranAlone(estimate, nanos);
        }
        return done;
    }

    /**
     * Returns the choice for a batch with its kernels open. If the device refuses a tile after all, or has no clock to
     * wait by, the next best choice is tried.
     */
    private PlanChoice choose(LstmInput batch, boolean cooperative) {
        while (true) {
            PlanChoice choice = engine.choose(batch.rows(), batch.steps(), cooperative);
            try {
                for (int layer = 0; layer < engine.model().layerCount(); layer++) {
                    layer(layer, choice);
                }
                return choice;
            } catch (UnfitTileException unfit) {
                engine.refuse(unfit);
            } catch (DeviceClock.UnusableException clock) {
                engine.refuse(clock); // the next choice has no work-items that wait
            }
        }
    }

    /**
     * Runs a batch under {@code choice}.
     *
     * @param patience the seconds on the device before cooperative work-items give up
     * @return whether {@code output} holds the result: false if they gave up
     */
    private boolean compute(LstmInput batch, RowOrder rows, PlanChoice choice, LstmOutput output, double patience) {
        RunSizes run =
                new RunSizes(engine.model(), rows, choice, batch.initialState().isPresent());
        // All memory first: a batch that doesn't fit is refused before anything is moved.
        workspace.ensure(run);
        if (trace != null) {
            trace.ensure(run);
        }
        BatchTransfer copy = new BatchTransfer(transfers, batch, run);
        FloatBuffer y = output.hasY() ? output.y() : null;
        try (Overlap overlap = overlap(copy, run, y)) {
            DeviceBatch onDevice =
                    new DeviceBatch(run, workspace, patience / engine.model().layerCount(), trace, overlap);
            copy.uploadState(onDevice.before());
            workspace.writeOrder(transfers, rows, rows.toOrderArray());
            enqueue(onDevice, copy);
            boolean done = copy.downloadState(onDevice.after(), output.finalState());
            if (done && overlap == null && y != null) {
                move("y", y.limit(), () -> copy.downloadOutput(lastHistory(), y));
            }
            return done;
        }
    }

    /**
     * Returns what moves a batch while its kernels run. Null if it is small, or if host and device share memory. Null
     * as well if launches are timed: the kernels would wait for parts of x, and the time between them would be the
     * host's.
     *
     * @param y where the output goes; null if it stays on the device
     */
    private Overlap overlap(BatchTransfer copy, RunSizes run, FloatBuffer y) {
        PinnedMemory memory = engine.pinnedMemory();
        if (trace != null || queue.profiling() || !Overlap.suits(memory, run, y)) {
            return null;
        }
        if (uploads == null) {
            uploads = new PinnedTransfers(engine.context(), memory, engine.copyThreads());
        }
        if (downloads == null) {
            downloads = new PinnedTransfers(engine.context(), memory, engine.copyThreads());
        }
        ClBuffer input = workspace.buffer(DeviceTensor.INPUT);
        return new Overlap(queue, uploads, downloads, copy, run, input, lastHistory(), y);
    }

    /**
     * Runs a piece of some streams, whose states are read from {@code states} and written there.
     *
     * @param places {@code [N]} as in {@code kernels/lstm_state.cl}, for the rows of the piece
     */
    void runStreams(LstmInput piece, FloatBuffer y, StreamStates states, int[] places) {
        RunReport report = engine.runs().begin();
        whileOpen(() -> record(() -> {
            RowOrder rows = new RowOrder(piece);
            // Cooperative work-items may give up waiting, and the states they leave behind would replace the last good
            // ones.
            PlanChoice choice = choose(piece, false);
            report.ready();
            report.plan(choice.plan());
            RunSizes run = RunSizes.ofStreams(engine.model(), rows, choice, states.capacity());
            workspace.ensure(run);
            BatchTransfer copy = new BatchTransfer(transfers, piece, run);
            int[] placesInOrder = new int[rows.rows()];
            for (int position = 0; position < placesInOrder.length; position++) {
                placesInOrder[position] = places[rows.row(position)];
            }
            workspace.writeOrder(transfers, rows, placesInOrder);
            try (Overlap overlap = overlap(copy, run, y)) {
                // No work-item waits.
                enqueue(new DeviceBatch(run, workspace, states.buffer(), states.buffer(), 0, null, overlap), copy);
                if (overlap == null) {
                    move("y", y.limit(), () -> copy.downloadOutput(lastHistory(), y));
                }
            }
        }));
        report.done(engine, piece);
    }

    /** Enqueues all layers. Afterwards x is on the device, and what an overlap brings down is with the caller. */
    private void enqueue(DeviceBatch batch, BatchTransfer copy) {
        RunSizes run = batch.run();
        if (batch.overlap() == null) {
            long floats = (long) run.order().rows() * run.steps() * run.model().inputSize();
            move("x", floats, () -> copy.uploadInput(workspace.buffer(DeviceTensor.INPUT)));
        }
        for (int layer = 0; layer < run.model().layerCount(); layer++) {
            layer(layer, run.choice()).enqueue(launcher, batch);
            // While this layer's launches run, the next layer's are prepared.
            queue.flush();
        }
        if (batch.overlap() != null) {
            batch.overlap().finish();
        }
    }

    private LayerRun layer(int layer, PlanChoice choice) {
        return layers.computeIfAbsent(
                new LayerKey(layer, choice), key -> LayerRun.open(engine, key.layer(), key.choice(), trace != null));
    }

    /** Returns the hidden states of the last layer. */
    private ClBuffer lastHistory() {
        LstmModel model = engine.model();
        return workspace.buffer(DeviceTensor.history(model.layerCount() - 1));
    }

    @Override
    public LstmStreams newStreams() {
        StreamStates states = new StreamStates();
        OpenClStreams opened = new OpenClStreams(this, queue, transfers, states);
        whileOpen(() -> streams.add(states));
        states.watch(opened, guard);
        return opened;
    }

    /** Does {@code work} on the device, or refuses it if the session or the engine is closed. */
    void whileOpen(Runnable work) {
        guard.use(work);
    }

    /** Drops {@code closed}, which have been closed. */
    void forget(StreamStates closed) {
        streams.remove(closed);
    }

    @Override
    public void close() {
        guard.close(() -> {
            streams.forEach(StreamStates::close);
            layers.values().forEach(LayerRun::close);
            workspace.close();
            for (PinnedTransfers each : new PinnedTransfers[] {uploads, downloads}) {
                if (each != null) {
                    each.close();
                }
            }
            if (trace != null) {
                trace.close();
            }
            queue.close();
        });
    }
}
