package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelArguments;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;

/** The input's product of a whole chunk of steps in one launch of {@code lstm_input_projection}. */
final class HoistedInput implements InputProduct {
    private final DeviceLayer layer;
    private final Tile tile;
    private final Kernel kernel;
    private final WorkGroups groups;
    private final KernelArguments<DeviceBatch> arguments;
    private final Kernel.Argument firstStep;
    private final Kernel.Argument lastStep;

    HoistedInput(DeviceLayer layer, LayerArguments by, PlanChoice choice) {
        this.layer = layer;
        tile = choice.projection();
        kernel =
                layer.open(tile.isStaged() ? KernelSource.INPUT_PROJECTION_TILED : KernelSource.INPUT_PROJECTION, tile);
        groups = layer.workGroups.of(kernel);
        arguments = by.inputProjection().of(kernel);
        firstStep = kernel.argument(Chunks.FIRST);
        lastStep = kernel.argument(Chunks.LAST);
    }

    @Override
    public int stepsAtOnce(RunSizes run) {
        return run.chunkSteps(layer.shape);
    }

    @Override
    public void bind(DeviceBatch batch) {
        arguments.bind(batch);
    }

    @Override
    public void enqueue(Launcher launcher, DeviceBatch batch, int first, int last) {
        firstStep.set(first);
        lastStep.set(last);
        int rows = (last - first + 1) * batch.run().rowPitch();
        launcher.launch(kernel.ready(), range(rows, batch.run().blocks(layer.shape)));
    }

    private NdRange range(int rows, int blocks) {
        return tile.isStaged()
                ? WorkGroups.staged(tile, blocks, rows, layer.directions)
                : groups.tiles(tile.tiles(rows), blocks, layer.directions);
    }
}
