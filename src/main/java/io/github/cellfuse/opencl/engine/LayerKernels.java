package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClBuildException;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.CellOptions;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.program.UnfitTileException;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernels of one layer under one plan. Their arguments are bound once a run; the time step travels in the global offset, so
 * the loop over time launches and does nothing else. A launch computes all directions, as they don't depend on each other.
 * Belongs to one session.
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

    /** Where {@code lstm_step} and {@code lstm_sequence} have first_step, and last_step after it. */
    private static final int STEP_CHUNK = 19;

    /** Where {@code lstm_input_projection} has them. */
    private static final int PROJECTED_CHUNK = 12;

    /** Where {@code lstm_sequence} has first_direction. */
    private static final int FIRST_DIRECTION = 26;

    private final OpenClEngine engine;
    private final PlanChoice choice;
    private final DeviceWeights weights;
    private final int layer;
    private final LstmLayer sizes;
    private final CellOptions cellOptions;
    private final int directions;
    /** The directions from there on are reverse. */
    private final int firstReverse;

    private final int inputs;
    private final int units;
    private final int outputs;

    private final List<ClKernel> opened = new ArrayList<>();
    private final ClKernel loadState;
    private final ClKernel storeState;
    /** Null where the plan or the model has no use for it, like the others below. */
    private final ClKernel step;

    private final ClKernel sequence;
    private final ClKernel inputProjection;
    private final ClKernel cell;
    private final ClKernel hiddenProjection;

    LayerKernels(OpenClEngine engine, int layer, PlanChoice choice) {
        sizes = engine.model().layer(layer);
        cellOptions = CellOptions.of(sizes);
        this.engine = engine;
        this.choice = choice;
        this.layer = layer;
        weights = engine.weights(layer);
        directions = sizes.directionCount();
        firstReverse = sizes.direction().isReverse(0) ? 0 : 1;
        inputs = sizes.inputSize();
        units = sizes.hiddenSize();
        outputs = sizes.stateSize();

        try {
            Tile tile = choice.step(), unstaged = tile.unstaged(), projection = choice.projection();
            loadState = open(KernelSource.STATE, projection.unstaged(), "lstm_load_state");
            storeState = open(KernelSource.STATE, projection.unstaged(), "lstm_store_state");
            boolean whole = choice.plan() == Plan.SEQUENCE;
            step = whole ? null : open(KernelSource.STEP, KernelSource.STEP_TILED, tile);
            sequence = whole ? open(KernelSource.SEQUENCE, KernelSource.SEQUENCE_TILED, tile) : null;
            cell = choice.plan() == Plan.SEPARATE ? open(KernelSource.STEP, unstaged, "lstm_cell") : null;
            inputProjection = tile.hoisted()
                    ? open(KernelSource.INPUT_PROJECTION, KernelSource.INPUT_PROJECTION_TILED, projection)
                    : null;
            hiddenProjection = sizes.hasProjection() && !whole
                    ? open(KernelSource.HIDDEN_PROJECTION, unstaged, "lstm_hidden_projection")
                    : null;
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** The kernel that a tile is for. One that stages it may not fit the device, whatever that has promised. */
    private ClKernel open(KernelSource source, KernelSource staged, Tile tile) {
        if (!tile.isStaged()) {
            return open(source, tile, source.title());
        }
        try {
            ClKernel kernel = open(staged, tile, staged.title());
            long most = kernel.info().maxWorkGroupSize(), items = tile.staging().workItems();
            if (most < items) {
                throw new UnfitTileException(
                        staged, tile, "a work-group has " + items + " work-items, and the device runs " + most);
            }
            return kernel;
        } catch (ClBuildException e) {
            throw new UnfitTileException(staged, tile, e);
        }
    }

    private ClKernel open(KernelSource source, Tile tile, String name) {
        ClKernel kernel = engine.programs().kernel(source, tile, cellOptions, name);
        opened.add(kernel);
        return kernel;
    }

    /** Enqueues the whole sequence: initial states, all time steps, final states. */
    void enqueue(Launcher launcher, RunSizes run, Buffers buffers) {
        bind(run, buffers);
        NdRange perUnit = NdRange.of(Math.max(units, outputs), run.rows(), directions);
        localRow(perUnit, Math.max(units, outputs));
        launcher.launch(loadState, perUnit);
        if (sequence != null) {
            enqueueSequence(launcher, run);
        } else {
            enqueueSteps(launcher, run);
        }
        launcher.launch(storeState, perUnit);
    }

    private void enqueueSequence(Launcher launcher, RunSizes run) {
        if (run.longest() == 0) {
            return;
        }
        // Work-items that wait for each other are as many as run at the same time: two directions of them would not.
        int sideBySide = choice.groups().isCooperative() ? 1 : directions;
        NdRange range;
        if (choice.step().isStaged()) {
            range = groups(choice.step(), run.blocks(sizes), run.order().active(1));
        } else {
            range = NdRange.of(
                    (long) sideBySide * run.rowGroups() * choice.groups().units());
            if (onCpu()) {
                range.local(1);
            }
        }
        int chunk = inputProjection == null ? run.longest() : run.chunkSteps(sizes);
        for (int first = 1; first <= run.longest(); first += chunk) {
            if (inputProjection != null) {
                project(launcher, run, first, Math.min(first + chunk - 1, run.longest()));
            }
            for (int direction = 0; direction < directions; direction += sideBySide) {
                if (!choice.step().isStaged()) {
                    sequence.setInt(FIRST_DIRECTION, direction);
                }
                launcher.launch(sequence, range);
            }
        }
    }

    private void enqueueSteps(Launcher launcher, RunSizes run) {
        Tile tile = choice.step();
        NdRange stepRange = tile.isStaged()
                ? groups(tile, run.blocks(sizes), 1)
                : oneByOne(NdRange.of(1, run.blocks(sizes), directions));
        NdRange cellRange = localRow(NdRange.of(run.blocks(sizes), 1, directions), run.blocks(sizes));
        NdRange hiddenRange =
                oneByOne(NdRange.of(1, Tile.blocks(outputs, choice.step().vec()), directions));
        int chunk = run.chunkSteps(sizes);
        for (int number = 1; number <= run.longest(); number++) {
            if (inputProjection != null && (number - 1) % chunk == 0) {
                project(launcher, run, number, Math.min(number + chunk - 1, run.longest()));
            }
            int rows = run.mostRows(number, sizes.direction()), tiles = run.tiles(rows);
            if (tile.isStaged()) {
                stepRange.global(1, rowItems(tile, rows));
            } else {
                stepRange.global(0, tiles);
            }
            launcher.launch(step, stepRange.offset(2, number));
            if (cell != null) {
                launcher.launch(cell, cellRange.global(1, rows).offset(2, number));
            }
            if (hiddenProjection != null) {
                launcher.launch(hiddenProjection, hiddenRange.global(0, tiles).offset(2, number));
            }
        }
    }

    /** The input's products for the chunk of steps {@code first} to {@code last}, which the kernels of the steps then find. */
    private void project(Launcher launcher, RunSizes run, int first, int last) {
        inputProjection.setInt(PROJECTED_CHUNK, first).setInt(PROJECTED_CHUNK + 1, last);
        product().setInt(STEP_CHUNK, first).setInt(STEP_CHUNK + 1, last);
        int rows = (last - first + 1) * run.rowPitch(),
                height = choice.projection().rows();
        NdRange range = choice.projection().isStaged()
                ? groups(choice.projection(), run.blocks(sizes), rows)
                : oneByOne(NdRange.of((rows + height - 1) / height, run.blocks(sizes), directions));
        launcher.launch(inputProjection, range);
    }

    /** The work-groups of a staged tile: units first, as neighbours read neighbouring weights. */
    private NdRange groups(Tile tile, int blocks, int rows) {
        Staging group = tile.staging();
        long across = (blocks + group.units() - 1L) / group.units() * group.units();
        return NdRange.of(across, rowItems(tile, rows), directions).local(group.units(), group.rows(), 1);
    }

    private static long rowItems(Tile tile, int rows) {
        return (rows + tile.groupRows() - 1L)
                / tile.groupRows()
                * tile.staging().rows();
    }

    /** The kernel that multiplies the hidden states, under any plan. */
    private ClKernel product() {
        return sequence != null ? sequence : step;
    }

    private void bind(RunSizes run, Buffers b) {
        // A projected layer's o⊙tanh(c) goes to a place that every slot shares, and from there through the projection.
        boolean projected = weights.projection() != null;
        ClBuffer hidden = projected ? b.unprojected() : b.history();
        int slotRows = projected ? 0 : run.rowPitch();
        int stride = run.historyStride(sizes), unprojectedStride = directions * units;
        int hiddenStride = projected ? unprojectedStride : stride;
        // Histories begin with slot 0, the caller's input with the first step.
        int firstInputSlot = layer == 0 ? 1 : 0;
        int inputStride = layer == 0
                ? run.inputStride()
                : run.historyStride(engine.model().layer(layer - 1));

        // Each line of arguments is one of the kernel's signature.
        Arguments first = new Arguments(product())
                .buffers(b.input(), b.history(), weights.gates(), weights.bias(), b.preactivations(), b.cells(), hidden)
                .buffers(b.active())
                .ints(run.rowPitch(), firstInputSlot, inputStride, inputs, stride)
                .ints(outputs, units, slotRows, hiddenStride, firstReverse, run.longest(), 1)
                .ints(run.longest());
        if (sequence != null && !choice.step().isStaged()) {
            // Without a projection nothing is read there, but the argument has to be a buffer.
            first.buffers(projected ? weights.projection() : weights.bias(), b.history());
            first.ints(projected ? 1 : 0, run.rowGroups(), choice.groups().units(), 0);
            first.buffers(b.arrivals()).ints(PATIENCE);
        }
        if (cell != null) {
            Arguments cellArguments = new Arguments(cell)
                    .buffers(b.preactivations(), b.cells(), hidden, b.active())
                    .ints(run.rowPitch(), units, slotRows, hiddenStride)
                    .ints(firstReverse, run.longest());
            if (sizes.hasPeepholes()) {
                cellArguments.buffers(weights.bias());
            }
        }
        if (inputProjection != null) {
            Arguments projection = new Arguments(inputProjection)
                    .buffers(b.input(), b.preactivations(), weights.gates(), weights.bias(), b.active())
                    .ints(run.rowPitch(), firstInputSlot, inputStride, inputs)
                    .ints(outputs, firstReverse, run.longest(), 0, 0);
            if (choice.projection().isStaged()) {
                projection.ints(run.blocks(sizes));
            }
        }
        if (hiddenProjection != null) {
            new Arguments(hiddenProjection)
                    .buffers(b.unprojected(), weights.projection(), b.history(), b.active())
                    .ints(unprojectedStride)
                    .ints(units, outputs, run.rowPitch(), stride, firstReverse)
                    .ints(run.longest());
        }
        bindState(loadState, run, b.initialState(), b)
                .ints(run.initialStateGiven() ? 1 : 0, RunSizes.LINE, run.arrivalPlaces());
        bindState(storeState, run, b.finalState(), b).ints(run.arrivalPlaces());
    }

    /** Loading and storing begin with the same arguments in the same order. */
    private Arguments bindState(ClKernel kernel, RunSizes run, ClBuffer state, Buffers b) {
        return new Arguments(kernel)
                .buffers(state, b.history(), b.cells(), b.arrivals(), b.order(), b.lengths())
                .ints(run.rowPitch(), run.historyStride(sizes), outputs)
                .ints(units, firstReverse, run.stateRows(), run.firstHidden(layer), run.firstCell(layer));
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
