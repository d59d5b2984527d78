package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelArguments;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;

/** A layer whose kernel loops over the time steps itself: the plan sequence. */
final class WholeSequence implements LayerRun {
    /** Enqueues the steps of a chunk in all directions. */
    private interface Launches {
        void enqueue(Launcher launcher, RunSizes run);
    }

    private final DeviceLayer layer;
    private final StateKernels states;
    private final Chunks chunks;
    private final KernelArguments<DeviceBatch> arguments;
    private final Launches launches;

    WholeSequence(DeviceLayer layer, PlanChoice choice) {
        this.layer = layer;
        LayerArguments by = new LayerArguments(layer);
        Tile tile = choice.step();
        states = new StateKernels(layer, by, choice.projection());
        KernelSource source = KernelSource.sequence(tile);
        Kernel kernel = layer.open(source, tile);
        // The rate of the clock that work-items read while they wait; 0 if they don't.
        double clock = choice.groups().isCooperative() ? layer.clock(source, tile) : 0;
        KernelArguments.Builder<DeviceBatch> byName = switch (source) {
            case SEQUENCE_PERSISTENT -> by.persistentSequence(clock);
            case SEQUENCE_TILED -> by.stagedSequence();
            case SEQUENCE_REGISTERS -> by.sequenceInRegisters();
            default -> by.sequence(clock);
        };
        arguments = byName.of(kernel);
        launches = tile.isStaged() ? staged(kernel, tile) : grouped(kernel, choice.groups());
        chunks = new Chunks(layer, InputProduct.of(layer, by, choice), kernel);
    }

    /** A work-group has its rows, and all units or, if groups wait for each other, some. */
    private Launches staged(Kernel kernel, Tile tile) {
        return (launcher, run) -> launcher.launch(
                kernel.ready(),
                WorkGroups.staged(tile, run.blocks(layer.shape), run.order().active(1), layer.directions));
    }

    /**
     * A work-item has its rows, and all units or a share of them. Cooperative work-items are as many as can run at the
     * same time, so that their directions have to run one after the other.
     */
    private Launches grouped(Kernel kernel, SequenceGroups groups) {
        WorkGroups workGroups = layer.workGroups.of(kernel);
        Kernel.Argument firstDirection = kernel.argument("first_direction");
        int together = groups.isCooperative() ? 1 : layer.directions;
        return (launcher, run) -> {
            NdRange range = workGroups.line((long) together * run.rowGroups() * groups.units());
            for (int direction = 0; direction < layer.directions; direction += together) {
                firstDirection.set(direction);
                launcher.launch(kernel.ready(), range);
            }
        };
    }

    @Override
    public void enqueue(Launcher launcher, DeviceBatch batch) {
        arguments.bind(batch);
        states.load(launcher, batch);
        chunks.enqueue(launcher, batch, (first, last) -> launches.enqueue(launcher, batch.run()));
        states.store(launcher, batch);
    }

    @Override
    public void close() {
        layer.close();
    }
}
