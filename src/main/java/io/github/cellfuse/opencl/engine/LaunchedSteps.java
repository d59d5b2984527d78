package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Plan;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelArguments;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * A layer whose steps are launched one after the other: the plans separate, fused and hoisted. The time step travels in
 * the global offset, so that the loop over time launches and does nothing else.
 */
final class LaunchedSteps implements LayerRun {
    /**
     * One of the kernels of a step.
     *
     * @param range its index space; the step is the offset of dimension 2
     * @param rowDimension the dimension of the rows
     * @param rowItems work-items along the rows, for a number of rows
     */
    private record StepKernel(
            Kernel kernel,
            KernelArguments<DeviceBatch> arguments,
            NdRange range,
            int rowDimension,
            IntToLongFunction rowItems) {
        void launch(Launcher launcher, int step, int rows) {
            range.global(rowDimension, rowItems.applyAsLong(rows)).offset(2, step);
            launcher.launch(kernel.ready(), range);
        }
    }

    private final DeviceLayer layer;
    private final StateKernels states;
    private final Chunks chunks;
    /** In the order of a step. */
    private final List<StepKernel> kernels = new ArrayList<>();

    LaunchedSteps(DeviceLayer layer, PlanChoice choice) {
        this.layer = layer;
        LayerArguments arguments = new LayerArguments(layer);
        Tile tile = choice.step();
        states = new StateKernels(layer, arguments, choice.projection());
        StepKernel product = product(tile, arguments);
        kernels.add(product);
        if (choice.plan() == Plan.SEPARATE) {
            kernels.add(cell(tile, arguments));
        }
        if (layer.isProjected()) {
            kernels.add(hiddenProjection(tile, arguments));
        }
        chunks = new Chunks(layer, InputProduct.of(layer, arguments, choice), product.kernel());
    }

    private StepKernel product(Tile tile, LayerArguments arguments) {
        Kernel kernel = layer.open(KernelSource.step(tile), tile);
        KernelArguments<DeviceBatch> bound = arguments.step().of(kernel);
        int blocks = Tile.blocks(layer.units, tile.vec());
        if (tile.isStaged()) {
            NdRange range = WorkGroups.staged(tile, blocks, 1, layer.directions);
            return new StepKernel(kernel, bound, range, 1, rows -> WorkGroups.rowItems(tile, rows));
        }
        return ofTiles(kernel, bound, tile, blocks);
    }

    private StepKernel cell(Tile tile, LayerArguments arguments) {
        Kernel kernel = layer.open(KernelSource.CELL, tile, "lstm_cell");
        int blocks = Tile.blocks(layer.units, tile.vec());
        WorkGroups groups = layer.workGroups.of(kernel);
        NdRange range = groups.blocks(blocks, 1, layer.directions);
        return new StepKernel(kernel, arguments.cell().of(kernel), range, 1, groups::rows);
    }

    private StepKernel hiddenProjection(Tile tile, LayerArguments arguments) {
        Kernel kernel = layer.open(KernelSource.HIDDEN_PROJECTION, tile, "lstm_hidden_projection");
        int blocks = Tile.blocks(layer.outputs, tile.vec());
        return ofTiles(kernel, arguments.hiddenProjection().of(kernel), tile, blocks);
    }

    /** A kernel whose work-items have a tile each. */
    private StepKernel ofTiles(Kernel kernel, KernelArguments<DeviceBatch> arguments, Tile tile, int blocks) {
        WorkGroups groups = layer.workGroups.of(kernel);
        NdRange range = groups.tiles(1, blocks, layer.directions);
        return new StepKernel(kernel, arguments, range, 0, rows -> groups.rowTiles(tile.tiles(rows)));
    }

    @Override
    public void enqueue(Launcher launcher, DeviceBatch batch) {
        kernels.forEach(kernel -> kernel.arguments().bind(batch));
        states.load(launcher, batch);
        chunks.enqueue(launcher, batch, (first, last) -> {
            for (int step = first; step <= last; step++) {
                int rows = batch.run().mostRows(step, layer.shape.direction());
                for (StepKernel kernel : kernels) {
                    kernel.launch(launcher, step, rows);
                }
            }
        });
        states.store(launcher, batch);
    }

    @Override
    public void close() {
        layer.close();
    }
}
