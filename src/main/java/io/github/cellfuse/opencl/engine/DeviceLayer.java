package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.cl.ClBuildException;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.opencl.program.CellOptions;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.opencl.program.UnfitTileException;
import java.util.ArrayList;
import java.util.List;

/**
 * One layer on a device: the facts that all of its kernels share, and the kernels that were opened, which
 * {@link #close} closes. Belongs to one session.
 */
final class DeviceLayer implements AutoCloseable {
    private final ClContext context;
    private final Programs programs;
    private final CellOptions cellOptions;
    private final List<Kernel> opened = new ArrayList<>();

    final WorkGroups workGroups;
    final LstmLayer shape;
    final DeviceWeights weights;
    final int index;
    final int directions;
    /** The directions from this one on are reverse. */
    final int firstReverse;

    final int units;
    final int outputs;
    /** Whether the cells store what they compute; see {@link DeviceTrace}. */
    final boolean isTraced;

    DeviceLayer(OpenClEngine engine, int index, boolean isTraced) {
        this.index = index;
        context = engine.context();
        this.isTraced = isTraced;
        programs = engine.programs();
        workGroups = new WorkGroups(engine.capabilities());
        shape = engine.model().layer(index);
        weights = engine.weights(index);
        cellOptions = isTraced ? CellOptions.of(shape).traced() : CellOptions.of(shape);
        directions = shape.directionCount();
        firstReverse = shape.direction().isReverse(0) ? 0 : 1;
        units = shape.hiddenSize();
        outputs = shape.stateSize();
    }

    /** Opens a kernel that doesn't depend on the tile of a work-group. */
    Kernel open(KernelSource source, Tile tile, String name) {
        Kernel kernel = programs.kernel(source, tile, cellOptions, name);
        opened.add(kernel);
        return kernel;
    }

    /**
     * Opens the kernel for a tile.
     *
     * @throws UnfitTileException when the device refuses a tile that its capabilities promise to run
     */
    Kernel open(KernelSource source, Tile tile) {
        if (!tile.isStaged()) {
            return open(source, tile, source.title());
        }
        try {
            Kernel kernel = open(source, tile, source.title());
            long most = kernel.maxWorkGroupSize();
            if (most < tile.staging().workItems()) {
                throw new UnfitTileException(source, tile, most);
            }
            return kernel;
        } catch (ClBuildException e) {
            throw new UnfitTileException(source, tile, e);
        }
    }

    /**
     * Returns the units in a second of the clock that kernels of {@code source} read.
     *
     * @throws DeviceClock.UnusableException if no work-item may wait by it
     */
    double clock(KernelSource source, Tile tile) {
        return DeviceClock.unitsPerSecond(context, () -> open(source, tile, "lstm_clock"));
    }

    /** Returns the floats from one row of the input to the next. */
    int inputStride() {
        return RunSizes.stride(shape.inputSize());
    }

    /** Returns the floats from one row of the hidden states to the next. */
    int outputStride() {
        return RunSizes.stride(shape.outputSize());
    }

    /** Returns whether a direction goes forward. */
    boolean hasForward() {
        return firstReverse > 0;
    }

    /** Returns whether a direction is reverse. */
    boolean hasReverse() {
        return firstReverse < directions;
    }

    /** Returns whether the hidden states go through a projection. */
    boolean isProjected() {
        return shape.hasProjection();
    }

    @Override
    public void close() {
        opened.forEach(Kernel::close);
    }
}
