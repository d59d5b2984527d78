package io.github.cellfuse.batch;

import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What a model needs of an OpenCL device's memory for a batch, at most: the buffers of a session and the weights,
 * whatever the plan. With it, no automatic chunk has to fail before it is known to be too large.
 *
 * @param steps of a row
 */
public record DeviceNeed(LstmModel model, long steps) {
    /** A work-item's rows are fewer, so that a batch has fewer rows of padding. */
    private static final long MOST_PADDING = 12;

    /** Units are padded to the widest vector, rows of values to a cache line. */
    private static final long VECTOR = 16;

    /** The pre-activations of several steps at a time: those of one step, or as many bytes. */
    private static final long HOISTED_FLOATS = (64L << 20) / Float.BYTES;

    /** The part of a device's memory that is taken to be free: a display and other programs need some. */
    private static final double FREE = 0.75;

    /** Returns the bytes of the largest buffer for {@code rows} rows. */
    public long largestBuffer(long rows) {
        return Float.BYTES
                * Math.max(
                        Math.max(input(rows), history(rows)),
                        Math.max(Math.max(cells(rows), preactivations(rows)), states(rows)));
    }

    /** Returns the bytes of all buffers for {@code rows} rows, without the weights. */
    public long bytes(long rows) {
        int histories = Math.min(2, model.layerCount());
        long unprojected = model.layers().stream().anyMatch(LstmLayer::hasProjection) ? cells(rows) : 0;
        long order = 2 * rows + steps + 2;
        return Float.BYTES
                * (input(rows)
                        + histories * history(rows)
                        + cells(rows)
                        + unprojected
                        + preactivations(rows)
                        + 2 * states(rows)
                        + order);
    }

    /**
     * Returns how many rows several models can have that are on one device at the same time, at least 1: whether one
     * row fits is known only when it is tried.
     */
    public static int mostRows(List<DeviceNeed> needs, DeviceInfo.Memory memory) {
        long weights = needs.stream()
                .mapToLong(need -> need.model.parameters() * Float.BYTES)
                .sum();
        double free = FREE * memory.bytes() - weights;
        long fits = 1, tooMany = Integer.MAX_VALUE;
        while (tooMany - fits > 1) {
            long rows = (fits + tooMany) / 2;
            boolean fit = needs.stream().allMatch(need -> need.largestBuffer(rows) <= memory.largestBuffer())
                    && needs.stream().mapToDouble(need -> need.bytes(rows)).sum() <= free;
            if (fit) {
                fits = rows;
            } else {
                tooMany = rows;
            }
        }
        return (int) fits;
    }

    private static long padded(long rows) {
        return rows + Math.min(rows, MOST_PADDING);
    }

    private long input(long rows) {
        return (steps * padded(rows) + MOST_PADDING) * (model.inputSize() + VECTOR);
    }

    private long history(long rows) {
        return ((steps + 2) * padded(rows) + MOST_PADDING) * (model.widestOutput() + VECTOR);
    }

    private long cells(long rows) {
        return padded(rows) * widestCells();
    }

    private long widestCells() {
        return most(layer -> layer.directionCount() * ((layer.hiddenSize() + VECTOR - 1) / VECTOR * VECTOR));
    }

    private long preactivations(long rows) {
        long step = 4 * padded(rows) * widestCells();
        return Math.max(step, Math.min(steps * step, HOISTED_FLOATS));
    }

    private long states(long rows) {
        int layers = model.layerCount();
        return VECTOR + rows * (model.hiddenValuesBelow(layers) + model.cellValuesBelow(layers));
    }

    private long most(ToLongFunction<LstmLayer> size) {
        return model.layers().stream().mapToLong(size).max().orElseThrow();
    }
}
