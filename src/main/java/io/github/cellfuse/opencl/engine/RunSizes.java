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
 * @param initialStateGiven whether the batch has an initial state; otherwise it is zeros
 * @param stateRows rows of the states: those of the batch, or the streams that there is room for
 */
record RunSizes(LstmModel model, RowOrder order, PlanChoice choice, boolean initialStateGiven, int stateRows) {
    /** The 4-byte values of a cache line, as {@code gate_product.cl} has it. */
    static final int LINE = 16;

    private static final int ALIASING_FLOATS = 512;

    /** Pre-activations of the hoisted plan are made for so many steps at once that they stay below this. */
    private static final long HOISTED_BYTES = 64L << 20;

    /** A batch that comes and goes with its states. */
    RunSizes(LstmModel model, RowOrder order, PlanChoice choice, boolean initialStateGiven) {
        this(model, order, choice, initialStateGiven, order.rows());
    }

    RunSizes {
        // Rows, slots and what a tile of rows spans are 32-bit integers in the kernels. Tiles may end beyond the last
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

    /** The length of the longest row: no step is launched beyond. */
    int longest() {
        return order.length(0);
    }

    /** Rows with a step {@code step}, counted from 1 in the order of the direction, in the direction that has more of them. */
    int mostRows(int step, Direction direction) {
        int forward = order.active(step), reverse = order.active(longest() + 1 - step);
        return switch (direction) {
            case FORWARD -> forward;
            case REVERSE -> reverse;
            case BIDIRECTIONAL -> Math.max(forward, reverse);
        };
    }

    /** Rows of a time slot, with padding. */
    int rowPitch() {
        return (int) roundUp(order.rows(), choice.step().rows());
    }

    /** Blocks of a layer's units. */
    int blocks(LstmLayer layer) {
        return Tile.blocks(layer.hiddenSize(), choice.step().vec());
    }

    /** A layer's units with padding, of all directions: a row of the cell states. */
    private long unitPitch(LstmLayer layer) {
        return (long) layer.directionCount() * blocks(layer) * choice.step().vec();
    }

    /** Of a buffer that all layers share. */
    private long most(ToLongFunction<LstmLayer> size) {
        return model.layers().stream().mapToLong(size).max().orElseThrow();
    }

    /** The tiles of an input projection may end beyond the last slot. */
    private int overhang() {
        return choice.projection().rows();
    }

    /** {@code [T·rowPitch + overhang, inputStride]}. */
    long[] inputDimensions() {
        return new long[] {(long) steps() * rowPitch() + overhang(), inputStride()};
    }

    /** {@code [(T+2)·rowPitch + overhang, historyStride]}, of the widest layer. */
    long[] historyDimensions() {
        return new long[] {(steps() + 2L) * rowPitch() + overhang(), most(this::historyStride)};
    }

    /** Floats from a row of the input to the next: its {@code I}, and what may follow as padding. */
    int inputStride() {
        return stride(model.inputSize());
    }

    /** Floats from a row of a layer's hidden states to the next: its {@code D·P}, and what may follow as padding. */
    int historyStride(LstmLayer layer) {
        return stride(layer.outputSize());
    }

    /**
     * Rows whose distance is a multiple of 2 KiB meet in one or two sets of a core's nearest cache, which has 8 or 12 places in a
     * set, while a tile reads up to 13 rows side by side. Another line between them spreads the rows over all sets.
     */
    static int stride(int width) {
        return width % ALIASING_FLOATS == 0 ? width + LINE : width;
    }

    /** {@code [D, rowPitch, B·VEC]}, of the largest layer. */
    long[] cellDimensions() {
        return new long[] {rowPitch(), most(this::unitPitch)};
    }

    /** {@code [rowPitch, D, H]} of the largest layer with a projection, or nothing. */
    long[] unprojectedDimensions() {
        long widest = most(layer -> layer.hasProjection() ? (long) layer.directionCount() * layer.hiddenSize() : 0);
        return widest > 0 ? new long[] {rowPitch(), widest} : new long[] {1};
    }

    /** Steps whose pre-activations the hoisted plan makes at once in a layer. */
    int chunkSteps(LstmLayer layer) {
        long bytesOfStep = 4 * unitPitch(layer) * rowPitch() * Float.BYTES;
        return (int) Math.max(1, Math.min(longest(), HOISTED_BYTES / bytesOfStep));
    }

    /** {@code [D, steps·rowPitch, B, 4, VEC]}: of a chunk, of one step, or nothing, by plan; of the largest layer. */
    long[] preactivationDimensions() {
        if (choice.step().hoisted()) {
            return new long[] {rowPitch(), most(layer -> chunkSteps(layer) * unitPitch(layer)), 4};
        }
        return choice.step().fused() ? new long[] {1} : new long[] {rowPitch(), most(this::unitPitch), 4};
    }

    /** {@code [LINE | h: L·D,N,P | c: L·D,N,H]}, of initial and of final states. */
    long[] stateDimensions() {
        return new long[] {firstCell(model.layerCount())};
    }

    /** Where h of a layer begins in the states. */
    int firstHidden(int layer) {
        return (int) (LINE + stateRows * model.hiddenValuesBelow(layer));
    }

    /** Where c of a layer begins in the states: after all h. With {@code L}: where the states end. */
    int firstCell(int layer) {
        return (int) (firstHidden(model.layerCount()) + stateRows * model.cellValuesBelow(layer));
    }

    /** Tiles of the step's kernel that hold {@code rows} rows. */
    int tiles(int rows) {
        return (rows + choice.step().rows() - 1) / choice.step().rows();
    }

    /** Groups of the rows that have a step at all, under {@link io.github.cellfuse.Plan#SEQUENCE}. */
    int rowGroups() {
        return choice.groups().rowGroups(tiles(order.active(1)));
    }

    /** {@code [(D·rowGroups+1)·LINE]} where work-items wait for each other; 0 where they don't. */
    int arrivalPlaces() {
        int directions = (int) most(LstmLayer::directionCount);
        return choice.groups().isCooperative() ? (directions * rowGroups() + 1) * LINE : 0;
    }

    private static long roundUp(long size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }
}
