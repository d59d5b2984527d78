package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelArguments;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Tile;

/** The kernels that copy a layer's states into a run and out of it, under any plan. */
final class StateKernels {
    private final DeviceLayer layer;
    private final Kernel load;
    private final Kernel store;
    private final WorkGroups loadGroups;
    private final WorkGroups storeGroups;
    private final KernelArguments<DeviceBatch> loadArguments;
    private final KernelArguments<DeviceBatch> storeArguments;

    StateKernels(DeviceLayer layer, LayerArguments arguments, Tile tile) {
        this.layer = layer;
        load = layer.open(KernelSource.STATE, tile, "lstm_load_state");
        store = layer.open(KernelSource.STATE, tile, "lstm_store_state");
        loadGroups = layer.workGroups.of(load);
        storeGroups = layer.workGroups.of(store);
        loadArguments = arguments.loadState().of(load);
        storeArguments = arguments.storeState().of(store);
    }

    /** Enqueues the copy of the initial states, or of zeros. */
    void load(Launcher launcher, DeviceBatch batch) {
        loadArguments.bind(batch);
        launcher.launch(load.ready(), range(loadGroups, batch));
    }

    /** Enqueues the copy of the final states. */
    void store(Launcher launcher, DeviceBatch batch) {
        storeArguments.bind(batch);
        launcher.launch(store.ready(), range(storeGroups, batch));
    }

    private NdRange range(WorkGroups groups, DeviceBatch batch) {
        int widest = Math.max(layer.units, layer.outputs);
        return groups.paddedRows(widest, batch.run().rows(), layer.directions);
    }
}
