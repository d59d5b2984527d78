package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
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

/**
 * Writes an output of a graph to a file. It joins the results of calls along the axes of the frames and the rows. The
 * array in the file is created with the first result, whose shape determines the array's.
 */
final class GraphOutput {
    /**
     * The size at which gathered results are written. Along an inner axis, a single result consists of many small
     * pieces.
     */
    private static final long GATHERED_BYTES = 8L << 20;

    /** Creates the array in the file. */
    interface Factory {
        ArraySink create(String name, ElementType type, long... shape);
    }

    private final GraphValue value;
    private final Factory factory;
    private final long calls;
    private final long totalRows;
    private final Optional<Integer> rows;
    private final Optional<FrameAxis> frames;

    private ArraySink sink;
    private long[] firstShape;
    private int rowAxis = -1, frameAxis = -1;
    private boolean isInserted;
    private long perRow, perCall;
    private ByteBuffer gathered;
    private long[] gatheredShape;
    private long gatheredFrom;

    /**
     * @param rows the axis of a result that holds the rows; empty if the output doesn't depend on them
     * @param totalRows the number of rows of all chunks
     * @param frames the axis along which calls are joined; if empty, only the last call's result is written
     */
    GraphOutput(
            GraphValue value,
            Factory factory,
            Optional<Integer> rows,
            long totalRows,
            Optional<FrameAxis> frames,
            long calls) {
        this.value = value;
        this.factory = factory;
        this.totalRows = totalRows;
        this.frames = frames;
        this.calls = calls;
        this.rows = rows;
    }

    String name() {
        return value.name();
    }

    /**
     * Adds the result of some calls with some of the rows. The result is read now and not retained.
     *
     * @param callCount the number of calls, which are one after the other along the axis of the rows
     * @param lengths streams that have ended give zeros
     */
    void add(Tensor result, long firstRow, long count, long firstCall, int callCount, StreamLengths lengths) {
        if (frames.isEmpty() || rows.isEmpty()) {
            for (int call = 0; call < callCount; call++) {
                add(result, firstRow, count, firstCall + call);
            }
        } else {
            long size = result.dimension(rows.get()) / callCount;
            for (int call = 0; call < callCount; call++) {
                Tensor part = callCount == 1 ? result : TensorPart.of(result, rows.get(), call * size, size);
                boolean[] ended = lengths.ended(firstRow, count, firstCall + call);
                add(lengths.cleared(part, rows.get(), ended), firstRow, count, firstCall + call);
            }
        }
    }

    private void add(Tensor result, long firstRow, long count, long call) {
        Tensor tensor = writable(result);
        if (sink == null) {
            plan(tensor, count);
        }
        long[] shape = expanded(tensor.shape());
        check(tensor, shape, call == 0);
        if (frameAxis < 0) {
            if (call == calls - 1) {
                write(tensor.bytes(), shape, firstRow * perRow, 0);
            }
            return;
        }
        gather(tensor, shape, firstRow * perRow, call);
    }

    private void plan(Tensor tensor, long count) {
        long[] shape = tensor.shape();
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
        sink = factory.create(value.name(), tensor.type(), whole);
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

    private void check(Tensor tensor, long[] shape, boolean isFirstCall) {
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

    /** NumPy has no bfloat16. */
    private static Tensor writable(Tensor tensor) {
        if (tensor.type() != ElementType.BFLOAT16) {
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
