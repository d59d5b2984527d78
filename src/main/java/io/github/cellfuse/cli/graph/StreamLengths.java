package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * The number of frames of each stream.
 *
 * @param counts {@code [N]}; empty if every stream has all frames
 */
record StreamLengths(Optional<int[]> counts) {
    private static final boolean[] NONE = {};

    /**
     * Reads and checks lengths.
     *
     * @param file the file of integers {@code [N]}, or null
     * @param streams {@code N}
     * @param frames the number of frames in the files
     */
    static StreamLengths read(InputFile file, long streams, long frames) {
        if (file == null) {
            return new StreamLengths(Optional.empty());
        }
        try (NpyArray array = file.open()) {
            if (!Arrays.equals(array.shape(), new long[] {streams})) {
                throw new InvalidInputException(array.name() + ": lengths: expected shape [" + streams
                        + "], one number of frames for each stream, found " + Arrays.toString(array.shape()));
            }
            int[] counts = array.readInts(0, Math.toIntExact(streams));
            for (int row = 0; row < counts.length; row++) {
                if (counts[row] < 0 || counts[row] > frames) {
                    throw new InvalidInputException(array.name() + ": lengths[" + row + "]: expected 0 to " + frames
                            + " frames, found " + counts[row]);
                }
            }
            return new StreamLengths(Optional.of(counts));
        }
    }

    /** Returns the number of frames of some streams in a group that begins with frame {@code first}. */
    Tensor within(long firstRow, long rows, long first, int frames) {
        int[] within = new int[Math.toIntExact(rows)];
        for (int row = 0; row < within.length; row++) {
            long left = counts.isEmpty() ? frames : counts.get()[(int) firstRow + row] - first;
            within[row] = (int) Math.max(0, Math.min(left, frames));
        }
        return Tensor.of(within, rows);
    }

    /** Returns which of some streams have ended before frame {@code frame}; none if no stream has. */
    boolean[] ended(long firstRow, long rows, long frame) {
        if (counts.isEmpty()) {
            return NONE;
        }
        boolean[] ended = new boolean[Math.toIntExact(rows)];
        boolean isAny = false;
        for (int row = 0; row < ended.length; row++) {
            ended[row] = counts.get()[(int) firstRow + row] <= frame;
            isAny |= ended[row];
        }
        return isAny ? ended : NONE;
    }

    /** Returns a result of one frame with zeros for the streams that have ended; the same tensor if none has. */
    Tensor cleared(Tensor result, int rowAxis, boolean[] ended) {
        if (ended.length == 0) {
            return result;
        }
        ByteBuffer bytes = ByteBuffer.allocateDirect(result.bytes().remaining())
                .order(result.bytes().order())
                .put(result.bytes())
                .flip();
        long perRow = result.dimension(rowAxis) / ended.length;
        for (int row = 0; row < ended.length; row++) {
            if (ended[row]) {
                ArrayBlock.whole(result.shape())
                        .part(rowAxis, row * perRow, perRow)
                        .forEach((inArray, inBlock, count) ->
                                clear(bytes, inArray, count, result.type().bytes()));
            }
        }
        return new Tensor(result.type(), bytes, result.shape());
    }

    private static void clear(ByteBuffer bytes, long first, int count, int width) {
        for (int k = 0; k < count * width; k++) {
            bytes.put((int) first * width + k, (byte) 0);
        }
    }
}
