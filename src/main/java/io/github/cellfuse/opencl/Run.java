package io.github.cellfuse.opencl;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RowOrder;
import io.github.cellfuse.Sizes;

/**
 * The sizes of one run on a device. Rows are padded to {@link #rowPitch} so that tiles are whole.
 *
 * @param model the model
 * @param order the rows, sorted
 * @param choice plan and tiles
 * @param initialStateGiven whether the batch has an initial state; otherwise it is zeros
 */
record Run(LstmModel model, RowOrder order, PlanChoice choice, boolean initialStateGiven) {
    /** The 4-byte values of a cache line, as {@code gate_product.cl} has it. */
    static final int LINE = 16;

    private static final int ALIASING_FLOATS = 512;

    /** Pre-activations of the hoisted plan are made for so many steps at once that they stay below this. */
    private static final long HOISTED_BYTES = 64L << 20;

    Run {
        // Rows, slots and what a tile of rows spans are 32-bit integers in the kernels. Tiles may end beyond the last
        // slot.
        int tallest = Math.max(choice.step().rows(), choice.projection().rows());
        long pitch = roundUp(order.rows(), choice.step().rows());
        Sizes.elements("rows of all time slots", (order.steps() + 2L) * pitch + tallest);
        long units = (long) model.directionCount() * model.hiddenSize();
        long widest = Math.max(units, Math.max(model.inputSize(), model.outputSize())) + LINE;
        Sizes.elements("features of a tile of rows", tallest, widest);
        Sizes.elements(
                "initial states h and c",
                LINE + (long) order.rows() * states(model) * (model.stateSize() + (long) model.hiddenSize()));
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

    int directions() {
        return model.directionCount();
    }

    /** Rows with a step {@code step}, counted from 1 in the order of the direction, in the direction that has more of them. */
    int mostRows(int step) {
        int forward = order.active(step), reverse = order.active(longest() + 1 - step);
        return switch (model.direction()) {
            case FORWARD -> forward;
            case REVERSE -> reverse;
            case BIDIRECTIONAL -> Math.max(forward, reverse);
        };
    }

    /** Rows of a time slot, with padding. */
    int rowPitch() {
        return (int) roundUp(order.rows(), choice.step().rows());
    }

    /** Blocks of units. */
    int blocks() {
        return DeviceWeights.blocks(model.hiddenSize(), choice.step().vec());
    }

    /** Units with padding: a row of the cell states. */
    private long unitPitch() {
        return (long) blocks() * choice.step().vec();
    }

    /** The tiles of an input projection may end beyond the last slot. */
    private int overhang() {
        return choice.projection().rows();
    }

    /** {@code [T·rowPitch + overhang, inputStride]}. */
    long[] inputDimensions() {
        return new long[] {(long) steps() * rowPitch() + overhang(), inputStride()};
    }

    /** {@code [(T+2)·rowPitch + overhang, historyStride]}. */
    long[] historyDimensions() {
        return new long[] {(steps() + 2L) * rowPitch() + overhang(), historyStride()};
    }

    /** Floats from a row of the input to the next: its {@code I}, and what may follow as padding. */
    int inputStride() {
        return stride(model.inputSize());
    }

    /** Floats from a row of the hidden states to the next: its {@code D·P}, and what may follow as padding. */
    int historyStride() {
        return stride(model.outputSize());
    }

    /**
     * Rows whose distance is a multiple of 2 KiB meet in one or two sets of a core's nearest cache, which has 8 or 12 places in a
     * set, while a tile reads up to 13 rows side by side. Another line between them spreads the rows over all sets.
     */
    static int stride(int width) {
        return width % ALIASING_FLOATS == 0 ? width + LINE : width;
    }

    /** {@code [D, rowPitch, B·VEC]}. */
    long[] cellDimensions() {
        return new long[] {directions(), rowPitch(), unitPitch()};
    }

    /** {@code [rowPitch, D, H]} with a projection, or nothing. */
    long[] unprojectedDimensions() {
        return model.hasProjection() ? new long[] {rowPitch(), directions(), model.hiddenSize()} : new long[] {1};
    }

    /** Steps whose pre-activations the hoisted plan makes at once. */
    int chunkSteps() {
        long bytesOfStep = 4 * directions() * unitPitch() * rowPitch() * Float.BYTES;
        return (int) Math.max(1, Math.min(longest(), HOISTED_BYTES / bytesOfStep));
    }

    /** {@code [D, steps·rowPitch, B, 4, VEC]}: of a chunk, of one step, or nothing, by plan. */
    long[] preactivationDimensions() {
        if (choice.step().hoisted()) {
            return new long[] {directions(), (long) chunkSteps() * rowPitch(), unitPitch(), 4};
        }
        return choice.step().fused() ? new long[] {1} : new long[] {directions(), rowPitch(), unitPitch(), 4};
    }

    /** {@code [LINE | h: L·D,N,P | c: L·D,N,H]}, of initial and of final states. */
    long[] stateDimensions() {
        return new long[] {firstCell() + (long) states(model) * rows() * model.hiddenSize()};
    }

    /** Where h begins in the states. */
    int firstHidden() {
        return LINE;
    }

    /** Where c begins in the states. */
    int firstCell() {
        return LINE + states(model) * rows() * model.stateSize();
    }

    private static int states(LstmModel model) {
        return model.layerCount() * model.directionCount();
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
        return choice.groups().together() ? (directions() * rowGroups() + 1) * LINE : 0;
    }

    private static long roundUp(long size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }
}
