package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Layout;
import java.nio.FloatBuffer;

/**
 * Converts between frames as rows and frames as steps. {@code K} frames of {@code N} streams, with {@code S} steps in
 * each frame, are {@code [S,K·N]} or {@code [K·N,S]} as rows, where row {@code k·N+n} is frame {@code k} of stream
 * {@code n}. As sequences they are {@code [K·S,N]}. With one step in each frame all three have the same order.
 *
 * @param layout the layout of the rows
 * @param frames {@code K}
 * @param rows {@code N}
 * @param steps {@code S}
 */
record FrameOrder(Layout layout, int frames, int rows, int steps) {

    /** Returns whether frames as rows and frames as steps have the same order in memory. */
    boolean isSame() {
        return steps == 1 || layout == Layout.BATCH_MAJOR && rows == 1 || layout == Layout.TIME_MAJOR && frames == 1;
    }

    /** Returns frames as sequences; the same buffer if the order is the same. */
    FloatBuffer toSequences(FloatBuffer source, int width) {
        return isSame() ? source : moved(source, width, true);
    }

    /** Returns sequences as frames; the same buffer if the order is the same. */
    FloatBuffer fromSequences(FloatBuffer source, int width) {
        return isSame() ? source : moved(source, width, false);
    }

    private FloatBuffer moved(FloatBuffer source, int width, boolean toSequences) {
        FloatBuffer target = FloatBuffer.allocate(frames * rows * steps * width);
        for (int frame = 0; frame < frames; frame++) {
            for (int step = 0; step < steps; step++) {
                for (int row = 0; row < rows; row++) {
                    int all = frame * rows + row;
                    int asRows = layout == Layout.TIME_MAJOR ? step * frames * rows + all : all * steps + step;
                    int asSteps = (frame * steps + step) * rows + row;
                    int from = toSequences ? asRows : asSteps, to = toSequences ? asSteps : asRows;
                    target.put(to * width, source, from * width, width);
                }
            }
        }
        return target;
    }
}
