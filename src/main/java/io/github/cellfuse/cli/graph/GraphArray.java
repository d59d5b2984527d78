package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.spi.HalfPrecision;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.Checksum;

/**
 * An output of a graph as an array in a file. It joins the results of calls along the axes of the frames and the rows.
 * A first result determines the array's shape; from then on it is thread safe.
 */
final class GraphArray {
    /**
     * The size at which gathered results are written. Along an inner axis, a single result consists of many small
     * pieces.
     */
    private static final long GATHERED_BYTES = 8L << 20;

    private final GraphValue value;
    private final long calls;
    private final long totalRows;
    private final Optional<Integer> rows;
    private final Optional<FrameAxis> frames;

    private ArraySink sink; // null before the plan
    private long[] firstShape;
    private int rowAxis = -1, frameAxis = -1;
    private boolean isInserted;
    private long perRow, perCall;

    /** Creates the array in the file. */
    interface Factory {
        ArraySink create(String name, ElementType type, long... shape);
    }

    /**
     * @param rows the axis of a result that holds the rows; empty if the output doesn't depend on them
     * @param totalRows the number of rows of all chunks
     * @param frames the axis along which calls are joined; if empty, only the last call's result is written
     */
    GraphArray(GraphValue value, Optional<Integer> rows, long totalRows, Optional<FrameAxis> frames, long calls) {
        this.value = value;
        this.totalRows = totalRows;
        this.frames = frames;
        this.calls = calls;
        this.rows = rows;
    }

    String name() {
        return value.name();
    }

    /**
     * Determines the shape of the array and creates it.
     *
     * @param result a result of some calls with some of the rows
     * @param count the number of rows
     * @param callCount the number of calls, which are one after the other along the axis of the rows
     */
    void plan(Tensor result, long count, int callCount, Factory file) {
        long[] shape = result.shape();
        if (frames.isPresent() && rows.isPresent()) {
            shape[rows.get()] /= callCount;
        }
        rows.ifPresent(axis -> rowAxis = axis);
        if (frames.isPresent()) {
            int axis = Math.min(frames.get().axis(), shape.length);
            boolean isNew = frames.get().isNew() || axis >= shape.length || axis == rowAxis;
            frameAxis = axis;
            if (isNew && rowAxis >= axis) {
                rowAxis++;
            }
            isInserted = isNew;
            perCall = isNew ? 1 : shape[axis];
        }
        firstShape = expanded(shape);
        long[] whole = firstShape.clone();
        if (rowAxis >= 0) {
            perRow = firstShape[rowAxis] / Math.max(1, count);
            whole[rowAxis] = Math.multiplyExact(perRow, totalRows);
        }
        if (frameAxis >= 0) {
            whole[frameAxis] = Math.multiplyExact(perCall, calls);
        }
        sink = file.create(value.name(), writableType(result.type()), whole);
    }

    /** Returns a result's shape with the joined axis inserted, if results lack it. */
    private long[] expanded(long[] shape) {
        if (!isInserted) {
            return shape;
        }
        long[] more = new long[shape.length + 1];
        for (int axis = 0; axis < more.length; axis++) {
            more[axis] = axis == frameAxis ? 1 : shape[axis < frameAxis ? axis : axis - 1];
        }
        return more;
    }

    /** Joins the results of the calls of some rows, one call after the other. Not thread safe. */
    final class Joiner {
        private ByteBuffer gathered;
        private long[] gatheredShape;
        private long gatheredFrom;

        String name() {
            return value.name();
        }

        /**
         * Adds the result of some calls. The result is read now and not retained.
         *
         * @param callCount the number of calls, which are one after the other along the axis of the rows
         * @param lengths streams that have ended give zeros
         */
        void add(Tensor result, long firstRow, long count, long firstCall, int callCount, StreamLengths lengths) {
            if (frames.isEmpty() || rows.isEmpty()) {
                for (int call = 0; call < callCount; call++) {
                    add(result, firstRow, firstCall + call);
                }
            } else {
                long size = result.dimension(rows.get()) / callCount;
                for (int call = 0; call < callCount; call++) {
                    Tensor part = callCount == 1 ? result : TensorPart.of(result, rows.get(), call * size, size);
                    boolean[] ended = lengths.ended(firstRow, count, firstCall + call);
                    add(lengths.cleared(part, rows.get(), ended), firstRow, firstCall + call);
                }
            }
        }

        private void add(Tensor result, long firstRow, long call) {
            Tensor tensor = writable(result);
            long[] shape = expanded(tensor.shape());
            check(shape, call == 0);
            if (frameAxis >= 0) {
                gather(tensor, shape, firstRow * perRow, call);
            } else if (call == calls - 1) {
                write(tensor.bytes(), shape, firstRow * perRow, 0);
            }
        }

        private void gather(Tensor tensor, long[] shape, long first, long call) {
            if (gathered == null) {
                long bytes = Math.max(1, tensor.bytes().remaining());
                long count = Math.max(1, Math.min(calls - call, GATHERED_BYTES / bytes));
                gatheredShape = shape.clone();
                gatheredShape[frameAxis] = perCall * count;
                gatheredFrom = call;
                int size = Sizes.elements(
                        "output '" + value.name() + "'",
                        Sizes.product("output", gatheredShape),
                        tensor.type().bytes());
                gathered = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
            }
            int width = tensor.type().bytes();
            ByteBuffer source = tensor.bytes();
            ArrayBlock.whole(gatheredShape)
                    .part(frameAxis, (call - gatheredFrom) * perCall, perCall)
                    .forEach((inArray, inBlock, count) ->
                            gathered.put((int) inArray * width, source, inBlock * width, count * width));
            boolean isFull = (call + 1 - gatheredFrom) * perCall >= gatheredShape[frameAxis];
            if (isFull || call == calls - 1) {
                write(gathered, gatheredShape, first, gatheredFrom * perCall);
                gathered = null;
            }
        }
    }

    private void check(long[] shape, boolean isFirstCall) {
        long[] expected = firstShape.clone();
        if (rowAxis >= 0 && shape.length == expected.length) {
            expected[rowAxis] = shape[rowAxis];
        }
        if (!Arrays.equals(expected, shape)) {
            throw new CellFuseException("output '" + value.name() + "': expected the same shape from every call, found "
                    + Arrays.toString(firstShape) + " and then " + Arrays.toString(shape)
                    + (isFirstCall
                            ? "; its size depends on the values in the rows, so compute all rows in one piece, without"
                                    + " --batch and --rows"
                            : "; its size differs from frame to frame, so leave it out by naming other outputs"
                                    + " (--output-name)"));
        }
    }

    private void write(ByteBuffer bytes, long[] shape, long first, long firstFrame) {
        ArrayBlock block = ArrayBlock.whole(sink.shape());
        if (rowAxis >= 0) {
            block = block.part(rowAxis, first, shape[rowAxis]);
        }
        if (frameAxis >= 0) {
            block = block.part(frameAxis, firstFrame, shape[frameAxis]);
        }
        int width = sink.type().bytes();
        block.forEach((inArray, inBlock, count) ->
                sink.write(inArray, bytes.slice(inBlock * width, count * width).order(ByteOrder.nativeOrder())));
    }

    /** Updates {@code checksum} with what the file holds of some rows; of all, if the output doesn't depend on them. */
    void checksum(long firstRow, long count, Checksum checksum) {
        part(firstRow, count).forEachLong((inArray, some) -> sink.checksum(inArray, some, checksum));
    }

    /** Treats some rows as written by an earlier run. */
    void markWritten(long firstRow, long count) {
        part(firstRow, count).forEachLong(sink::markWritten);
    }

    private ArrayBlock part(long firstRow, long count) {
        ArrayBlock whole = ArrayBlock.whole(sink.shape());
        return rowAxis < 0 ? whole : whole.part(rowAxis, firstRow * perRow, count * perRow);
    }

    /** NumPy has no bfloat16. */
    private static ElementType writableType(ElementType type) {
        return type == ElementType.BFLOAT16 ? ElementType.FLOAT32 : type;
    }

    private static Tensor writable(Tensor tensor) {
        if (tensor.type() == writableType(tensor.type())) {
            return tensor;
        }
        ByteBuffer bytes = tensor.bytes();
        float[] values = new float[tensor.elementCount()];
        for (int k = 0; k < values.length; k++) {
            values[k] = HalfPrecision.bfloat16ToFloat(bytes.getShort(k * Short.BYTES));
        }
        return Tensor.of(values, tensor.shape());
    }
}
