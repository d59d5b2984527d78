package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.NdRange;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernels of one direction of one layer under one plan. Their arguments are bound once a run; the time step travels in the
 * global offset, so the loop over time launches and does nothing else. Belongs to one session.
 */
final class LayerKernels implements AutoCloseable {
    /** What the kernels of a run work on; see the kernel files for the shapes. */
    record Buffers(
            ClBuffer input,
            ClBuffer history,
            ClBuffer cells,
            ClBuffer preactivations,
            ClBuffer unprojected,
            ClBuffer initialState,
            ClBuffer finalState,
            ClBuffer order,
            ClBuffer lengths,
            ClBuffer active,
            ClBuffer arrivals) {}

    /** Where the kernels go: a queue's {@code launch}. */
    interface Launcher {
        /** Enqueues {@code kernel} over {@code range}, which may be changed as soon as this returns. */
        void launch(ClKernel kernel, NdRange range);
    }

    /** Looks at a counter before a work-item that waits gives up: seconds, when a step takes milliseconds at most. */
    private static final int PATIENCE = 1 << 27;

    /** Where the arguments of {@code lstm_sequence} are that change from chunk to chunk: first_step, last_step, row_groups. */
    private static final int SEQUENCE_STEPS = 25;

    private final OpenClEngine engine;
    private final PlanChoice choice;
    private final DeviceWeights weights;
    private final int layer;
    private final boolean reverse;
    private final int inputs;
    private final int units;
    private final int outputs;
    private final int outputStride;
    private final int column;
    private final int stateIndex;

    private final List<ClKernel> opened = new ArrayList<>();
    private final ClKernel loadState;
    private final ClKernel storeState;
    /** Null where the plan or the model has no use for it, like the others below. */
    private final ClKernel step;

    private final ClKernel sequence;
    private final ClKernel inputProjection;
    private final ClKernel cell;
    private final ClKernel hiddenProjection;

    LayerKernels(OpenClEngine engine, int layer, int direction, PlanChoice choice) {
        LstmModel model = engine.model();
        this.engine = engine;
        this.choice = choice;
        this.layer = layer;
        weights = engine.weights(layer, direction);
        reverse = model.direction().isReverse(direction);
        inputs = model.weights(layer, direction).inputSize();
        units = model.hiddenSize();
        outputs = model.stateSize();
        outputStride = Run.stride(model.outputSize());
        column = direction * outputs;
        stateIndex = layer * model.directionCount() + direction;

        try {
            loadState = open(KernelSource.STATE, choice.projection(), "lstm_load_state");
            storeState = open(KernelSource.STATE, choice.projection(), "lstm_store_state");
            boolean whole = choice.plan() == Plan.SEQUENCE;
            step = whole ? null : open(KernelSource.STEP, choice.step(), "lstm_step");
            sequence = whole ? open(KernelSource.SEQUENCE, choice.step(), "lstm_sequence") : null;
            cell = choice.plan() == Plan.SEPARATE ? open(KernelSource.STEP, choice.step(), "lstm_cell") : null;
            inputProjection = choice.step().hoisted()
                    ? open(KernelSource.INPUT_PROJECTION, choice.projection(), "lstm_input_projection")
                    : null;
            hiddenProjection = model.hasProjection() && !whole
                    ? open(KernelSource.HIDDEN_PROJECTION, choice.step(), "lstm_hidden_projection")
                    : null;
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private ClKernel open(KernelSource source, Tile tile, String name) {
        ClKernel kernel = engine.programs().kernel(source, tile, name);
        opened.add(kernel);
        return kernel;
    }

    /** Enqueues the whole sequence: initial states, all time steps, final states. */
    void enqueue(Launcher launcher, Run run, Buffers buffers) {
        bind(run, buffers);
        NdRange perUnit = NdRange.of(Math.max(units, outputs), run.rows());
        localRow(perUnit, Math.max(units, outputs));
        launcher.launch(loadState, perUnit);
        if (sequence != null) {
            enqueueSequence(launcher, run);
        } else {
            enqueueSteps(launcher, run);
        }
        launcher.launch(storeState, perUnit);
    }

    private void enqueueSequence(Launcher launcher, Run run) {
        int rows = run.order().active(1);
        if (rows == 0) {
            return;
        }
        Groups groups = choice.groups();
        int rowGroups = groups.rowGroups(tiles(rows));
        NdRange range = NdRange.of(rowGroups * groups.units());
        if (onCpu()) {
            range.local(1);
        }
        int chunk = inputProjection == null ? run.steps() : run.chunkSteps();
        for (int s = 0; s < run.steps(); s += chunk) {
            int last = Math.min(s + chunk, run.steps()) - 1;
            if (inputProjection != null) {
                project(launcher, run, s, last);
            }
            sequence.setInt(SEQUENCE_STEPS, s + 1)
                    .setInt(SEQUENCE_STEPS + 1, last + 1)
                    .setInt(SEQUENCE_STEPS + 2, rowGroups);
            launcher.launch(sequence, range);
        }
    }

    private void enqueueSteps(Launcher launcher, Run run) {
        NdRange stepRange = oneByOne(NdRange.of(1, run.blocks(), 1));
        NdRange cellRange = localRow(NdRange.of(run.blocks(), 1, 1), run.blocks());
        NdRange hiddenRange = oneByOne(
                NdRange.of(1, DeviceWeights.blocks(outputs, choice.step().vec()), 1));
        int chunk = run.chunkSteps();
        for (int s = 0; s < run.steps(); s++) {
            if (inputProjection != null && s % chunk == 0) {
                project(launcher, run, s, Math.min(s + chunk, run.steps()) - 1);
            }
            int slot = slot(run, s), rows = run.order().active(slot);
            if (rows == 0) {
                continue;
            }
            int tiles = tiles(rows);
            launcher.launch(step, stepRange.global(0, tiles).offset(2, slot));
            if (cell != null) {
                launcher.launch(cell, cellRange.global(1, rows).offset(2, slot));
            }
            if (hiddenProjection != null) {
                launcher.launch(hiddenProjection, hiddenRange.global(0, tiles).offset(2, slot));
            }
        }
    }

    /** Where step {@code s}, counted from 0 in the order of the direction, stands. */
    private int slot(Run run, int s) {
        return reverse ? run.steps() - s : s + 1;
    }

    private int tiles(int rows) {
        return (rows + choice.step().rows() - 1) / choice.step().rows();
    }

    /** The input's products for steps {@code first} to {@code last}. */
    private void project(Launcher launcher, Run run, int first, int last) {
        int firstSlot = Math.min(slot(run, first), slot(run, last)), slots = last - first + 1;
        while (slots > 0 && run.order().active(firstSlot + slots - 1) == 0) {
            slots--; // the longest row has ended by then
        }
        if (slots == 0) {
            return;
        }
        int rows = slots * run.rowPitch();
        int xFirst = (firstSlot - firstInputSlot()) * run.rowPitch();
        // What changes from chunk to chunk: rows, first_slot and x_first; p_first of the step.
        inputProjection.setInt(6, rows).setInt(7, firstSlot).setInt(8, xFirst);
        (sequence != null ? sequence : step).setInt(16, firstSlot);
        int height = choice.projection().rows();
        launcher.launch(inputProjection, oneByOne(NdRange.of((rows + height - 1) / height, run.blocks())));
    }

    /** The slot that stands first in the input's buffer: histories begin with slot 0, the caller's input with the first step. */
    private int firstInputSlot() {
        return layer == 0 ? 1 : 0;
    }

    private void bind(Run run, Buffers b) {
        // A projected layer's o⊙tanh(c) goes to a place that every slot shares, and from there through the projection.
        boolean projected = weights.projection() != null;
        ClBuffer hidden = projected ? b.unprojected() : b.history();
        int slotRows = projected ? 0 : run.rowPitch();
        int stride = projected ? units : outputStride;
        int at = projected ? 0 : column;
        int back = reverse ? 1 : -1;
        int inputStride = layer == 0 ? run.inputStride() : run.historyStride();

        // Each line of arguments is one of the kernel's signature.
        Arguments first = new Arguments(sequence != null ? sequence : step)
                .buffers(b.input(), b.history(), weights.gates(), weights.bias(), b.preactivations(), b.cells(), hidden)
                .buffers(b.active())
                .ints(run.rowPitch(), firstInputSlot(), inputStride, inputs, outputStride, column, outputs, back)
                .ints(0, units, slotRows, stride, at);
        if (sequence != null) {
            // Without a projection nothing is read there, but the argument has to be a buffer.
            first.buffers(projected ? weights.projection() : weights.bias(), b.history());
            first.ints(projected ? 1 : 0, run.steps(), 0, 0, 0, choice.groups().units());
            first.buffers(b.arrivals()).ints(PATIENCE);
        }
        if (cell != null) {
            new Arguments(cell)
                    .buffers(b.preactivations(), b.cells(), hidden, b.active())
                    .ints(units, slotRows, stride, at);
        }
        if (inputProjection != null) {
            new Arguments(inputProjection)
                    .buffers(b.input(), b.preactivations(), weights.gates(), weights.bias(), b.active())
                    .ints(run.rowPitch(), 0, 0, 0, inputStride, inputs, outputs);
        }
        if (hiddenProjection != null) {
            new Arguments(hiddenProjection)
                    .buffers(b.unprojected(), weights.projection(), b.history(), b.active())
                    .ints(units, outputs, run.rowPitch(), outputStride, column);
        }
        bindState(loadState, run, b.initialState(), b)
                .ints(run.initialStateGiven() ? 1 : 0, Run.LINE, run.arrivalPlaces());
        bindState(storeState, run, b.finalState(), b).ints(run.arrivalPlaces());
    }

    /** Loading and storing begin with the same arguments in the same order. */
    private Arguments bindState(ClKernel kernel, Run run, ClBuffer state, Buffers b) {
        return new Arguments(kernel)
                .buffers(state, b.history(), b.cells(), b.arrivals(), b.order(), b.lengths())
                .ints(run.rowPitch(), outputStride, column, outputs, units, reverse ? 1 : 0, stateIndex * run.rows())
                .ints(run.firstHidden(), run.firstCell());
    }

    /**
     * A CPU compiles a kernel anew for each size of work-group, so it always gets the same ones: a work-item is a tile, and enough
     * work for a group of its own. A GPU's driver knows better.
     */
    private NdRange oneByOne(NdRange range) {
        if (!onCpu()) {
            return range.anyLocal();
        }
        return range.dimensions() == 3 ? range.local(1, 1, 1) : range.local(1, 1);
    }

    /** On a CPU: a whole row of {@code size} small work-items in a group, so that the driver makes a loop of them. */
    private NdRange localRow(NdRange range, int size) {
        if (!onCpu()) {
            return range.anyLocal();
        }
        Capabilities has = engine.capabilities();
        long most = Math.min(has.maxWorkGroupSize(), has.maxWorkItemSizes().get(0));
        int local = size;
        while (local > most || size % local != 0) {
            local--;
        }
        return range.dimensions() == 3 ? range.local(local, 1, 1) : range.local(local, 1);
    }

    private boolean onCpu() {
        return engine.capabilities().type() == Capabilities.Type.CPU;
    }

    @Override
    public void close() {
        opened.forEach(ClKernel::close);
    }
}
