package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.RowOrder;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClQueue;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * A run on an OpenCL device: the batch goes in sorted by length, each layer and direction loops over its time steps on the
 * device, and the results come back in the caller's order. The host waits once, for the results.
 *
 * <p>Hidden states live in a history of time slots (see {@link RowOrder} and {@code kernels/lstm_step.cl}); a layer reads the
 * history of the layer below as its input, in place.
 */
final class OpenClSession implements LstmSession {
    private record KernelKey(int layer, int direction, PlanChoice choice) {}

    private final OpenClEngine engine;
    private final ClQueue queue;
    private final LayerKernels.Launcher launcher;
    private final Transfers transfers;
    private final Map<KernelKey, LayerKernels> kernels = new HashMap<>();

    private final Scratch input;
    private final Scratch[] histories;
    private final Scratch cells;
    private final Scratch preactivations;
    private final Scratch unprojected;
    private final Scratch initialHidden;
    private final Scratch initialCell;
    private final Scratch finalHidden;
    private final Scratch finalCell;
    private final Scratch order;
    private final Scratch lengths;
    private final Scratch active;
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
        histories = new Scratch[] {scratch("hidden states"), scratch("hidden states of the layer below")};
        cells = scratch("cell states");
        preactivations = scratch("pre-activations");
        unprojected = scratch("unprojected hidden states");
        initialHidden = scratch("initial h");
        initialCell = scratch("initial c");
        finalHidden = scratch("final h");
        finalCell = scratch("final c");
        order = scratch("order of rows");
        lengths = scratch("lengths");
        active = scratch("active rows");
    }

    private Scratch scratch(String name) {
        return new Scratch(engine.context(), queue, name);
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
        LstmModel model = engine.model();
        PlanChoice choice = engine.choose(batch.rows(), batch.steps());
        Run run = new Run(model, new RowOrder(batch), choice);

        // All memory first: a batch that doesn't fit is refused before anything is moved.
        ensure(run);
        BatchTransfer copy = new BatchTransfer(transfers, batch, run);
        copy.uploadInput(input.get());
        copy.uploadState(initialHidden.get(), initialCell.get());
        transfers.write(order.get(), run.order().toOrderArray());
        transfers.write(lengths.get(), run.order().toLengthArray());
        transfers.write(active.get(), run.order().toActiveArray());

        for (int layer = 0; layer < model.layerCount(); layer++) {
            for (int direction = 0; direction < model.directionCount(); direction++) {
                kernels(layer, direction, choice).enqueue(launcher, run, buffers(layer));
            }
            // The next layer's launches are prepared while this one's run.
            queue.flush();
        }
        ClBuffer last = histories[(model.layerCount() - 1) % 2].get();
        copy.download(last, finalHidden.get(), finalCell.get(), output);
    }

    private void ensure(Run run) {
        LstmModel model = run.model();
        long states = (long) model.layerCount() * model.directionCount();
        input.ensure(run.inputDimensions());
        histories[0].ensure(run.historyDimensions());
        if (model.layerCount() > 1) {
            histories[1].ensure(run.historyDimensions());
        }
        cells.ensure(run.cellDimensions());
        preactivations.ensure(run.preactivationDimensions());
        unprojected.ensure(model.hasProjection() ? (long) run.rowPitch() * model.hiddenSize() : 1);
        for (Scratch hidden : new Scratch[] {initialHidden, finalHidden}) {
            hidden.ensure(states, run.rows(), model.stateSize());
        }
        for (Scratch cell : new Scratch[] {initialCell, finalCell}) {
            cell.ensure(states, run.rows(), model.hiddenSize());
        }
        order.ensure(run.rows());
        lengths.ensure(run.rows());
        active.ensure(run.steps() + 2L);
    }

    private LayerKernels kernels(int layer, int direction, PlanChoice choice) {
        return kernels.computeIfAbsent(
                new KernelKey(layer, direction, choice),
                key -> new LayerKernels(engine, key.layer(), key.direction(), key.choice()));
    }

    private LayerKernels.Buffers buffers(int layer) {
        return new LayerKernels.Buffers(
                layer == 0 ? input.get() : histories[(layer + 1) % 2].get(),
                histories[layer % 2].get(),
                cells.get(),
                preactivations.get(),
                unprojected.get(),
                initialHidden.get(),
                initialCell.get(),
                finalHidden.get(),
                finalCell.get(),
                order.get(),
                lengths.get(),
                active.get());
    }

    @Override
    public void close() {
        closed = true;
        kernels.values().forEach(LayerKernels::close);
        for (Scratch scratch : new Scratch[] {
            input,
            histories[0],
            histories[1],
            cells,
            preactivations,
            unprojected,
            initialHidden,
            initialCell,
            finalHidden,
            finalCell,
            order,
            lengths,
            active
        }) {
            scratch.close();
        }
        queue.close();
    }
}
