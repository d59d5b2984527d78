package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.UnfitTileException;
import io.github.cellfuse.spi.RowOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * A run on an OpenCL device: the batch goes in sorted by length, each layer loops over its time steps on the device, and the
 * results come back in the caller's order. The host waits once, for the results.
 *
 * <p>Hidden states live in a history of time slots (see {@link RowOrder} and {@code kernels/lstm_step.cl}); a layer reads the
 * history of the layer below as its input, in place.
 */
final class OpenClSession implements LstmSession {
    /**
     * Held while work-items that wait for each other run. Two such launches at once, each with a part of the threads, would wait for
     * ever; and the threads are the driver's, so all engines of the process have the same.
     */
    private static final ReentrantLock COOPERATIVE_LAUNCH = new ReentrantLock();

    private record KernelKey(int layer, PlanChoice choice) {}

    private final OpenClEngine engine;
    private final ClQueue queue;
    private final LayerKernels.Launcher launcher;
    private final Transfers transfers;
    private final Map<KernelKey, LayerKernels> kernels = new HashMap<>();

    private final GrowingBuffer input;
    private final GrowingBuffer[] histories;
    private final GrowingBuffer cells;
    private final GrowingBuffer preactivations;
    private final GrowingBuffer unprojected;
    private final GrowingBuffer initialState;
    private final GrowingBuffer finalState;
    private final GrowingBuffer order;
    private final GrowingBuffer lengths;
    private final GrowingBuffer active;
    private final GrowingBuffer arrivals;
    private RowOrder orderOnDevice;
    private int[] placesOnDevice;
    /** Not closed yet. */
    private final List<OpenClStreams> streams = new ArrayList<>();

    private boolean closed;

    OpenClSession(OpenClEngine engine) {
        this(engine, engine.context().queue(), queue -> queue::launch);
    }

    /** A session that owns {@code queue} and whose kernels are launched by what {@code launching} makes of it. */
    OpenClSession(OpenClEngine engine, ClQueue queue, Function<ClQueue, LayerKernels.Launcher> launching) {
        this.engine = engine;
        this.queue = queue;
        launcher = launching.apply(queue);
        try {
            transfers = new Transfers(queue);
        } catch (RuntimeException | Error e) {
            queue.close(); // no direct memory for the staging buffer
            throw e;
        }
        input = scratch("input");
        histories = new GrowingBuffer[] {scratch("hidden states"), scratch("hidden states of the layer below")};
        cells = scratch("cell states");
        preactivations = scratch("pre-activations");
        unprojected = scratch("unprojected hidden states");
        initialState = scratch("initial states");
        finalState = scratch("final states");
        order = scratch("order of rows");
        lengths = scratch("lengths");
        active = scratch("active rows");
        arrivals = scratch("arrivals");
    }

    private GrowingBuffer scratch(String name) {
        return new GrowingBuffer(engine.context(), queue, name);
    }

    @Override
    public LstmEngine engine() {
        return engine;
    }

    @Override
    public void run(LstmInput batch, LstmOutput output) {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        batch.check(engine.model());
        output.check(engine.model(), batch);
        engine.whileOpen(() -> compute(batch, output));
    }

    private void compute(LstmInput batch, LstmOutput output) {
        RowOrder rows = new RowOrder(batch);
        PlanChoice choice = choose(batch);
        if (!choice.groups().isCooperative()) {
            compute(batch, rows, choice, output);
            return;
        }
        boolean done;
        COOPERATIVE_LAUNCH.lock();
        try {
            done = compute(batch, rows, choice, output);
        } finally {
            COOPERATIVE_LAUNCH.unlock();
        }
        if (!done) {
            engine.refuseCooperative();
            compute(batch, rows, choose(batch), output);
        }
    }

    /** The choice for a batch, its kernels ready: a tile that the device doesn't take after all is refused, and the next one chosen. */
    private PlanChoice choose(LstmInput batch) {
        return choose(batch, true);
    }

    private PlanChoice choose(LstmInput batch, boolean cooperative) {
        while (true) {
            PlanChoice choice = engine.choose(batch.rows(), batch.steps(), cooperative);
            try {
                for (int layer = 0; layer < engine.model().layerCount(); layer++) {
                    kernels(layer, choice);
                }
                return choice;
            } catch (UnfitTileException unfit) {
                engine.refuse(unfit);
            }
        }
    }

    /** Whether {@code output} holds the result: false when work-items that should have run together gave up waiting. */
    private boolean compute(LstmInput batch, RowOrder rows, PlanChoice choice, LstmOutput output) {
        LstmModel model = engine.model();
        RunSizes run = new RunSizes(model, rows, choice, batch.initialState().isPresent());

        // All memory first: a batch that doesn't fit is refused before anything is moved.
        ensure(run);
        initialState.ensure(run.initialStateGiven() ? run.stateDimensions() : new long[] {1});
        finalState.ensure(run.stateDimensions());
        BatchTransfer copy = new BatchTransfer(transfers, batch, run);
        copy.uploadInput(input.get());
        copy.uploadState(initialState.get());
        uploadOrder(rows, rows.toOrderArray());

        enqueue(run, initialState.get(), finalState.get());
        if (!copy.downloadState(finalState.get(), output.finalState())) {
            return false;
        }
        copy.downloadOutput(histories[(model.layerCount() - 1) % 2].get(), output.y());
        return true;
    }

    /**
     * Runs a piece of some streams, whose states are read from {@code states} and written there.
     *
     * @param capacity the streams that {@code states} has room for
     * @param places {@code [N]} as {@code kernels/lstm_state.cl} has them for the rows of the piece
     */
    void runStreams(LstmInput piece, FloatBuffer y, ClBuffer states, int capacity, int[] places) {
        whileOpen(() -> {
            LstmModel model = engine.model();
            RowOrder rows = new RowOrder(piece);
            // Work-items that may give up waiting would leave states behind that nobody can go back from.
            RunSizes run = new RunSizes(model, rows, choose(piece, false), true, capacity);
            ensure(run);
            BatchTransfer copy = new BatchTransfer(transfers, piece, run);
            copy.uploadInput(input.get());
            int[] placesInOrder = new int[rows.rows()];
            for (int position = 0; position < placesInOrder.length; position++) {
                placesInOrder[position] = places[rows.row(position)];
            }
            uploadOrder(rows, placesInOrder);
            enqueue(run, states, states);
            copy.downloadOutput(histories[(model.layerCount() - 1) % 2].get(), y);
        });
    }

    private void enqueue(RunSizes run, ClBuffer before, ClBuffer after) {
        for (int layer = 0; layer < run.model().layerCount(); layer++) {
            kernels(layer, run.choice()).enqueue(launcher, run, buffers(layer, before, after));
            // The next layer's launches are prepared while this one's run.
            queue.flush();
        }
    }

    @Override
    public LstmStreams newStreams() {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        OpenClStreams opened = new OpenClStreams(this, queue, transfers);
        streams.add(opened);
        return opened;
    }

    /** Does {@code work} on the device, or refuses it when the session or the engine is closed. */
    void whileOpen(Runnable work) {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        engine.whileOpen(work);
    }

    /** {@code streams} have been closed. */
    void forget(OpenClStreams closed) {
        streams.remove(closed);
    }

    /**
     * The device may have it from the last run: batches of one size without lengths all have the same.
     *
     * @param places {@code [N]} by position, where a row's states are
     */
    private void uploadOrder(RowOrder rows, int[] places) {
        if (!rows.equals(orderOnDevice) || !Arrays.equals(places, placesOnDevice)) {
            orderOnDevice = null; // should a transfer fail
            transfers.write(order.get(), places);
            transfers.write(lengths.get(), rows.toLengthArray());
            transfers.write(active.get(), rows.toActiveArray());
            orderOnDevice = rows;
            placesOnDevice = places;
        }
    }

    private void ensure(RunSizes run) {
        LstmModel model = run.model();
        input.ensure(run.inputDimensions());
        histories[0].ensure(run.historyDimensions());
        if (model.layerCount() > 1) {
            histories[1].ensure(run.historyDimensions());
        }
        cells.ensure(run.cellDimensions());
        preactivations.ensure(run.preactivationDimensions());
        unprojected.ensure(run.unprojectedDimensions());
        order.ensure(run.rows());
        lengths.ensure(run.rows());
        active.ensure(run.steps() + 2L);
        arrivals.ensure(run.arrivalPlaces());
    }

    private LayerKernels kernels(int layer, PlanChoice choice) {
        return kernels.computeIfAbsent(
                new KernelKey(layer, choice), key -> new LayerKernels(engine, key.layer(), key.choice()));
    }

    private LayerKernels.Buffers buffers(int layer, ClBuffer before, ClBuffer after) {
        return new LayerKernels.Buffers(
                layer == 0 ? input.get() : histories[(layer + 1) % 2].get(),
                histories[layer % 2].get(),
                cells.get(),
                preactivations.get(),
                unprojected.get(),
                before,
                after,
                order.get(),
                lengths.get(),
                active.get(),
                arrivals.get());
    }

    @Override
    public void close() {
        closed = true;
        List.copyOf(streams).forEach(OpenClStreams::close);
        kernels.values().forEach(LayerKernels::close);
        for (GrowingBuffer scratch : new GrowingBuffer[] {
            input,
            histories[0],
            histories[1],
            cells,
            preactivations,
            unprojected,
            initialState,
            finalState,
            order,
            lengths,
            active,
            arrivals
        }) {
            scratch.close();
        }
        queue.close();
    }
}
