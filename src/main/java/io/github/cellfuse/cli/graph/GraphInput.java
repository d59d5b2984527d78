package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An input of a graph in a file of any size. Each call takes some rows and one frame of it. Owns the array. Several
 * threads may read, each into memory of its own.
 */
final class GraphInput implements AutoCloseable {
    private final GraphValue value;
    private final ElementType type;
    private final NpyArray array;
    private final Optional<Frames> frames;
    /** The axis of the file along which calls run; -1 without frames. */
    private final int frameAxis;

    private final long frameSize, hop;
    /** Whether the input lacks the axis of the frames. */
    private final boolean isExtraAxis;

    private final Optional<Integer> singleRow;

    /** Memory for some of the data. What it holds already isn't read again. Not thread safe. */
    static final class Memory {
        private ByteBuffer bytes = ByteBuffer.allocateDirect(0);
        /** The data of one call whose place isn't contiguous. */
        private ByteBuffer scratch = ByteBuffer.allocateDirect(0);

        private Tensor last;
        private long[] lastPart;
    }

    /** Takes ownership of {@code array}. Rejects an array that doesn't fit the input. */
    GraphInput(GraphValue value, NpyArray array, Optional<Frames> frames) {
        this.value = value;
        this.array = array;
        this.frames = frames;
        type = value.type()
                .orElseThrow(() -> new InvalidInputException(
                        "input '" + value.name() + "': expected a numeric input, found " + value.describe()));
        long[] shape = array.shape();
        if (frames.isEmpty()) {
            frameAxis = -1;
            frameSize = 0;
            hop = 0;
            isExtraAxis = false;
        } else {
            int axis = frames.get().axis();
            frameAxis = axis < 0 ? axis + shape.length : axis;
            if (frameAxis < 0 || frameAxis >= shape.length) {
                throw invalid("--frames: expected an axis from " + -shape.length + " to " + (shape.length - 1)
                        + " of shape " + Arrays.toString(shape) + ", found " + axis);
            }
            int rank = value.dimensions().map(d -> d.size()).orElse(shape.length);
            isExtraAxis = shape.length == rank + 1;
            frameSize = isExtraAxis ? 1 : frameSize(frames.get());
            if (isExtraAxis && frames.get().size().isPresent()) {
                throw invalid("--frames takes no size here: the input, " + value.describe() + ", lacks axis "
                        + frameAxis + " of shape " + Arrays.toString(shape));
            }
            hop = frames.get().hop().orElse(frameSize);
            if (shape[frameAxis] % hop != 0) {
                throw invalid("--frames: expected a multiple of " + hop + " along axis " + frameAxis + ", found shape "
                        + Arrays.toString(shape));
            }
        }
        singleRow = value.accepts(callShape(shape)) ? Optional.empty() : singleRow(callShape(shape));
        if (singleRow.isEmpty() && !value.accepts(callShape(shape))) {
            boolean hasOneAxisMore = frames.isEmpty()
                    && value.dimensions().map(d -> d.size() + 1 == shape.length).orElse(false);
            throw wrongShape(hasOneAxisMore ? "; to run the model once for each index of an axis, use --frames" : "");
        }
        array.read(0, type, ByteBuffer.allocate(0)); // rejects a dtype that can't be converted to the input's
    }

    /** Returns the only axis in which a shape differs from the input's, if the input's size there is 1. */
    private Optional<Integer> singleRow(long[] shape) {
        List<GraphValue.Dimension> dimensions = value.dimensions().orElse(List.of());
        List<Integer> wrong = new ArrayList<>();
        for (int axis = 0; axis < dimensions.size() && dimensions.size() == shape.length; axis++) {
            if (dimensions.get(axis).isFixed() && dimensions.get(axis).size() != shape[axis]) {
                wrong.add(axis);
            }
        }
        boolean isSingle = wrong.size() == 1 && dimensions.get(wrong.get(0)).size() == 1 && shape[wrong.get(0)] > 1;
        return isSingle ? Optional.of(wrong.get(0)) : Optional.empty();
    }

    /** Returns the axis along which the file has several rows, if the model declares the input for one row. */
    Optional<Integer> singleRow() {
        return singleRow;
    }

    /** Returns the error for a file that doesn't have the input's shape. */
    InvalidInputException wrongShape(String more) {
        return invalid("input '" + value.name() + "': expected " + value.describe()
                + (frames.isEmpty() ? "" : " for each call") + ", found shape " + Arrays.toString(array.shape())
                + more);
    }

    private long frameSize(Frames given) {
        long fixed = value.dimensions()
                .filter(all -> frameAxis < all.size() && all.get(frameAxis).isFixed())
                .map(all -> all.get(frameAxis).size())
                .orElse(1L);
        return Math.max(1, given.size().orElse(fixed));
    }

    private long[] callShape(long[] block) {
        if (frames.isEmpty()) {
            return block;
        }
        long[] shape = block.clone();
        shape[frameAxis] = frameSize;
        if (!isExtraAxis) {
            return shape;
        }
        long[] less = new long[shape.length - 1];
        for (int axis = 0; axis < less.length; axis++) {
            less[axis] = shape[axis < frameAxis ? axis : axis + 1];
        }
        return less;
    }

    String name() {
        return value.name();
    }

    GraphValue value() {
        return value;
    }

    /** Returns the axis along which the outputs of the calls are joined. */
    FrameAxis outputAxis() {
        return new FrameAxis(frameAxis, isExtraAxis);
    }

    /** Returns the number of calls; empty without frames, because every call takes the same data. */
    Optional<Long> calls() {
        return frames.map(f -> array.shape()[frameAxis] / hop);
    }

    /** Returns the number of rows along an axis of the input. */
    long rows(int axis) {
        return array.shape()[fileAxis(axis)];
    }

    /** Returns the axis of the file for an axis of the input. */
    private int fileAxis(int axis) {
        return isExtraAxis && axis >= frameAxis ? axis + 1 : axis;
    }

    /** Returns the number of bytes that one call takes with all rows. */
    long bytes() {
        return Sizes.product(
                array.name() + ": input", Sizes.product(array.name(), callShape(array.shape())), type.bytes());
    }

    /** Returns the shape that one call takes with all rows. */
    long[] shape() {
        return callShape(array.shape());
    }

    /**
     * Returns the data of some calls. Several calls are one after the other along the axis of the rows.
     *
     * @param rowAxis the axis of the input that holds the rows; if empty, the call takes the whole input
     * @param calls the number of calls; 1 if there is no such axis
     * @param memory holds the data until it is used again
     */
    Tensor read(Optional<Integer> rowAxis, long firstRow, long rows, long firstCall, int calls, Memory memory) {
        boolean isPart = rowAxis.isPresent();
        long[] part = {isPart ? firstRow : 0, isPart ? rows : 0, frames.isEmpty() ? 0 : firstCall, calls};
        if (Arrays.equals(part, memory.lastPart)) {
            return memory.last;
        }
        memory.lastPart = null; // in case reading fails
        ArrayBlock block = ArrayBlock.whole(array.shape());
        if (rowAxis.isPresent()) {
            block = block.part(fileAxis(rowAxis.get()), firstRow, rows);
        }
        long[] shape = callShape(block.size());
        int axis = rowAxis.orElse(0);
        if (calls > 1) {
            shape[axis] *= calls;
        }
        long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        int bytes = Sizes.elements(array.name() + ": input '" + name() + "'", elements, type.bytes());
        if (memory.bytes.capacity() < bytes) {
            memory.bytes = ByteBuffer.allocateDirect(bytes);
        }
        ByteBuffer target = memory.bytes.slice(0, bytes).order(ByteOrder.nativeOrder());
        for (int call = 0; call < calls; call++) {
            ArrayBlock place = ArrayBlock.whole(shape);
            if (calls > 1) {
                place = place.part(axis, call * rows, rows);
            }
            read(block, firstCall + call, target, place, memory);
        }
        memory.last = new Tensor(type, target, shape);
        memory.lastPart = part;
        return memory.last;
    }

    /** Reads the data of one call of some rows into its place in {@code target}, with zeros for what is missing. */
    private void read(ArrayBlock rows, long call, ByteBuffer target, ArrayBlock place, Memory memory) {
        int width = type.bytes();
        ArrayBlock block = rows, present = place;
        if (frames.isPresent()) {
            long begin = (call + 1) * hop - frameSize, missing = Math.max(0, -begin);
            block = rows.part(frameAxis, begin + missing, frameSize - missing);
            if (missing > 0) {
                present = place.part(frameAxis, missing, frameSize - missing);
                place.forEach((inArray, inBlock, count) -> clear(target, (int) inArray * width, count * width));
            }
        }
        if (present.isContiguous()) {
            read(block, target, Math.toIntExact(present.first()));
            return;
        }
        int bytes = Math.toIntExact(block.elementCount() * width);
        if (memory.scratch.capacity() < bytes) {
            memory.scratch = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }
        ByteBuffer scratch = memory.scratch;
        read(block, scratch, 0);
        present.forEach((inArray, inBlock, count) ->
                target.put((int) inArray * width, scratch, inBlock * width, count * width));
    }

    private static void clear(ByteBuffer target, int from, int count) {
        for (int k = 0; k < count; k++) {
            target.put(from + k, (byte) 0);
        }
    }

    private void read(ArrayBlock block, ByteBuffer target, int to) {
        int width = type.bytes();
        array.read(
                block,
                type,
                target.slice(to * width, Math.toIntExact(block.elementCount()) * width)
                        .order(ByteOrder.nativeOrder()));
    }

    private InvalidInputException invalid(String what) {
        return new InvalidInputException(array.name() + ": " + what);
    }

    @Override
    public void close() {
        array.close();
    }
}
