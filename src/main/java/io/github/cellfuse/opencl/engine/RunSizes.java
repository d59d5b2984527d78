package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.spi.RowOrder;
import io.github.cellfuse.spi.Sizes;
import java.util.function.ToLongFunction;

/**
 * The sizes of one run on a device. Rows are padded to {@link #rowPitch} so that tiles are whole.
 *
 * @param model the model
 * @param order the rows, sorted
 * @param choice plan and tiles
 * @param states where the states come from
 * @param stateRows rows of the states: those of the batch, or the number of streams that there is room for
 */
record RunSizes(LstmModel model, RowOrder order, PlanChoice choice, States states, int stateRows) {
    /** Where the states of a run come from. */
    enum States {
        /** The initial states are zeros; the batch takes its final states with it. */
        ZEROS,
        /** The batch brings its initial states and takes its final states with it. */
        GIVEN,
        /** Streams keep their states on the device, in a buffer of their own. */
        OF_STREAMS
    }

    /** Values of 4 bytes in a cache line, as in {@code arrivals.cl}. */
    static final int LINE = 16;

    private static final int ALIASING_FLOATS = 512;

    /** The hoisted plan computes the pre-activations of as many steps at a time as stay below this. */
    private static final long HOISTED_BYTES = 64L << 20;

    /** The sizes of a batch that brings its states and takes them with it. */
    RunSizes(LstmModel model, RowOrder order, PlanChoice choice, boolean initialStateGiven) {
        this(model, order, choice, initialStateGiven ? States.GIVEN : States.ZEROS, order.rows());
    }

    /** The sizes of a piece of streams, of which there may be {@code capacity}. */
    static RunSizes ofStreams(LstmModel model, RowOrder order, PlanChoice choice, int capacity) {
        return new RunSizes(model, order, choice, States.OF_STREAMS, capacity);
    }

    RunSizes {
        // Rows, slots and the span of a tile's rows are 32-bit integers in the kernels. Tiles may end beyond the last
        // slot.
        int tallest = Math.max(choice.step().rows(), choice.projection().rows());
        long pitch = roundUp(order.rows(), choice.step().rows());
        Sizes.elements("rows of all time slots", (order.steps() + 2L) * pitch + tallest);
        long widest = LINE
                + model.layers().stream()
                        .mapToLong(layer -> Math.max(
                                (long) layer.directionCount() * layer.hiddenSize(),
                                Math.max(layer.inputSize(), layer.outputSize())))
                        .max()
                        .orElseThrow();
        Sizes.elements("features of a tile of rows", tallest, widest);
        Sizes.elements(
                "initial states h and c",
                LINE
                        + stateRows
                                * (model.hiddenValuesBelow(model.layerCount())
                                        + model.cellValuesBelow(model.layerCount())));
    }

    int rows() {
        return order.rows();
    }

    int steps() {
        return order.steps();
    }

    /** Returns the length of the longest row. No step beyond it is launched. */
    int longest() {
        return order.length(0);
    }

    /**
     * Returns how many rows have step {@code step}, counted from 1 in the order of the direction, in the direction that
     * has more of them.
     */
    int mostRows(int step, Direction direction) {
        int forward = order.active(step), reverse = order.active(longest() + 1 - step);
        return switch (direction) {
            case FORWARD -> forward;
            case REVERSE -> reverse;
            case BIDIRECTIONAL -> Math.max(forward, reverse);
        };
    }

    /** Returns the rows of a time slot, with padding. */
    int rowPitch() {
        return (int) roundUp(order.rows(), choice.step().rows());
    }

    /** Returns the blocks of a layer's units. */
    int blocks(LstmLayer layer) {
        return Tile.blocks(layer.hiddenSize(), choice.step().vec());
    }

    /** Returns the units of all directions of a layer, with padding: the length of a row of the cell states. */
    private long unitPitch(LstmLayer layer) {
        return (long) layer.directionCount() * blocks(layer) * choice.step().vec();
    }

    /** Returns the size of a buffer that all layers share. */
    private long most(ToLongFunction<LstmLayer> size) {
        return model.layers().stream().mapToLong(size).max().orElseThrow();
    }

    /** Returns how many rows the tiles of an input projection may end beyond the last slot. */
    private int overhang() {
        return choice.projection().rows();
    }

    /** Returns {@code [T·rowPitch + overhang, inputStride]}. */
    long[] inputDimensions() {
        return new long[] {(long) steps() * rowPitch() + overhang(), inputStride()};
    }

    /** Returns {@code [(T+2)·rowPitch + overhang, historyStride]} of the widest layer. */
    long[] historyDimensions() {
        return new long[] {(steps() + 2L) * rowPitch() + overhang(), most(this::historyStride)};
    }

    /** Returns the dimensions of the hidden states of layers 1, 3 and so on; one value if there are none. */
    long[] oddHistoryDimensions() {
        return model.layerCount() > 1 ? historyDimensions() : new long[] {1};
    }

    /** Returns whether the run has initial states; otherwise they are zeros. */
    boolean initialStateGiven() {
        return states != States.ZEROS;
    }

    /** Returns the floats from one row of the input to the next: {@code I}, and padding where that helps. */
    int inputStride() {
        return stride(model.inputSize());
    }

    /**
     * Returns the floats from one row of a layer's hidden states to the next: {@code D·P}, and padding where that
     * helps.
     */
    int historyStride(LstmLayer layer) {
        return stride(layer.outputSize());
    }

    /**
     * Returns the floats from one row to the next. Rows at a distance of a multiple of 2 KiB share one or two sets of
     * the nearest cache, which holds 8 or 12 lines in a set, while a tile reads up to 13 rows at the same time. One
     * more line between them spreads the rows over all sets.
     */
    static int stride(int width) {
        return width % ALIASING_FLOATS == 0 ? width + LINE : width;
    }

    /** Returns {@code [D, rowPitch, B·VEC]} of the largest layer. */
    long[] cellDimensions() {
        return new long[] {rowPitch(), most(this::unitPitch)};
    }

    /** Returns {@code [rowPitch, D, H]} of the largest layer with a projection; one value if there is none. */
    long[] unprojectedDimensions() {
        long widest = most(layer -> layer.hasProjection() ? (long) layer.directionCount() * layer.hiddenSize() : 0);
        return widest > 0 ? new long[] {rowPitch(), widest} : new long[] {1};
    }

    /** Returns how many steps of pre-activations the hoisted plan computes at a time in a layer. */
    int chunkSteps(LstmLayer layer) {
        long bytesOfStep = 4 * unitPitch(layer) * rowPitch() * Float.BYTES;
        return (int) Math.max(1, Math.min(longest(), HOISTED_BYTES / bytesOfStep));
    }

    /**
     * Returns {@code [D, steps·rowPitch, B, 4, VEC]} of the largest layer. Depending on the plan, that is a chunk of
     * steps, one step, or one value for a plan without pre-activations in memory.
     */
    long[] preactivationDimensions() {
        if (choice.step().hoisted()) {
            return new long[] {rowPitch(), most(layer -> chunkSteps(layer) * unitPitch(layer)), 4};
        }
        return choice.step().fused() ? new long[] {1} : new long[] {rowPitch(), most(this::unitPitch), 4};
    }

    /** Returns the dimensions of the initial states; one value where nothing is read. */
    long[] initialStateDimensions() {
        return states == States.GIVEN ? stateDimensions() : new long[] {1};
    }

    /** Returns the dimensions of the final states; one value where streams keep them. */
    long[] finalStateDimensions() {
        return states == States.OF_STREAMS ? new long[] {1} : stateDimensions();
    }

    /** Returns {@code [LINE | h: L·D,N,P | c: L·D,N,H]}. */
    long[] stateDimensions() {
        return new long[] {firstCell(model.layerCount())};
    }

    /** Returns where h of a layer begins in the states. */
    int firstHidden(int layer) {
        return (int) (LINE + stateRows * model.hiddenValuesBelow(layer));
    }

    /** Returns where c of a layer begins in the states: after all h. For {@code L}, returns where the states end. */
    int firstCell(int layer) {
        return (int) (firstHidden(model.layerCount()) + stateRows * model.cellValuesBelow(layer));
    }

    /** Returns the tiles of the step's kernel that hold {@code rows} rows. */
    int tiles(int rows) {
        return choice.step().tiles(rows);
    }

    /** Returns the groups of the rows that have a step at all, under {@link io.github.cellfuse.Plan#SEQUENCE}. */
    int rowGroups() {
        int rows = order.active(1);
        return choice.step().isStaged()
                ? (int) choice.step().groupsDown(rows)
                : choice.groups().rowGroups(tiles(rows));
    }

    /** Returns {@code [(D·rowGroups+1)·LINE]} if work-items may wait for each other, otherwise 0. */
    int arrivalPlaces() {
        int directions = (int) most(LstmLayer::directionCount);
        boolean counts =
                choice.groups().isCooperative() || choice.step().staging().isPersistent();
        return counts ? (directions * rowGroups() + 1) * LINE : 0;
    }

    private static long roundUp(long size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }
}
