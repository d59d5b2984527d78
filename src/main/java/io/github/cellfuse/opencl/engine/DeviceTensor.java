package io.github.cellfuse.opencl.engine;

import java.util.function.Function;

/**
 * The tensors of a run on a device, of 4-byte values each. All layers share them; the kernel files show what is in
 * them.
 */
enum DeviceTensor {
    INPUT("input", RunSizes::inputDimensions),
    /** The hidden states of layers 0, 2, 4 and so on: each layer reads those of the layer below. */
    EVEN_HISTORY("hidden states", RunSizes::historyDimensions),
    ODD_HISTORY("hidden states of the layer below", RunSizes::oddHistoryDimensions),
    CELL_STATES("cell states", RunSizes::cellDimensions),
    PREACTIVATIONS("pre-activations", RunSizes::preactivationDimensions),
    UNPROJECTED("unprojected hidden states", RunSizes::unprojectedDimensions),
    ORDER("order of rows", run -> new long[] {run.rows()}),
    LENGTHS("lengths", run -> new long[] {run.rows()}),
    ACTIVE("active rows", run -> new long[] {run.steps() + 2L}),
    ARRIVALS("arrivals", run -> new long[] {run.arrivalPlaces()}),
    INITIAL_STATES("initial states", RunSizes::initialStateDimensions),
    FINAL_STATES("final states", RunSizes::finalStateDimensions);

    private final String title;
    private final Function<RunSizes, long[]> dimensions;

    DeviceTensor(String title, Function<RunSizes, long[]> dimensions) {
        this.title = title;
        this.dimensions = dimensions;
    }

    /** Returns the tensor that {@code layer} writes its hidden states to. */
    static DeviceTensor history(int layer) {
        return layer % 2 == 0 ? EVEN_HISTORY : ODD_HISTORY;
    }

    /** Returns the tensor that {@code layer} reads as its input. */
    static DeviceTensor inputOf(int layer) {
        return layer == 0 ? INPUT : history(layer - 1);
    }

    /** Returns the name for messages. */
    String title() {
        return title;
    }

    /** Returns the dimensions that it has in a run. */
    long[] dimensions(RunSizes run) {
        return dimensions.apply(run);
    }
}
