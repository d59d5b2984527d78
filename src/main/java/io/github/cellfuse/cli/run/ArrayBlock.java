package io.github.cellfuse.cli.run;

import java.util.Arrays;

/**
 * A block of a larger array: from an offset on, a number of elements along each axis. All in C order.
 *
 * @param shape the array's dimensions
 * @param offset where the block begins
 * @param size the block's dimensions, as many as the array's
 */
public record ArrayBlock(long[] shape, long[] offset, long[] size) {

    /** Takes a stretch of elements that lie together in both. */
    public interface Stretch {
        /**
         * @param inArray index of the first element in the array
         * @param inBlock index of the first element in the block
         */
        void at(long inArray, int inBlock, int count);
    }

    /** All of an array. */
    public static ArrayBlock whole(long... shape) {
        return new ArrayBlock(shape, new long[shape.length], shape);
    }

    /** The part from {@code first} on of {@code count} elements along {@code axis}. */
    public ArrayBlock part(int axis, long first, long count) {
        long[] from = offset.clone(), less = size.clone();
        from[axis] += first;
        less[axis] = count;
        return new ArrayBlock(shape, from, less);
    }

    /** The number of elements in the block. */
    public long elementCount() {
        return Arrays.stream(size).reduce(1, (a, b) -> a * b);
    }

    /** Goes through the block in stretches that are as long as can be. */
    public void forEach(Stretch stretch) {
        if (elementCount() == 0) {
            return;
        }
        // The innermost axes that the block has all of are one run with the axis before them.
        int axis = shape.length;
        long run = 1;
        while (axis > 0 && (axis == shape.length || size[axis] == shape[axis])) {
            axis--;
            run *= size[axis];
        }
        long[] index = new long[axis];
        int inBlock = 0;
        while (true) {
            stretch.at(position(index), inBlock, Math.toIntExact(run));
            inBlock += (int) run;
            int next = axis - 1;
            while (next >= 0 && ++index[next] == size[next]) {
                index[next--] = 0;
            }
            if (next < 0) {
                return;
            }
        }
    }

    private long position(long[] index) {
        long position = 0;
        for (int axis = 0; axis < shape.length; axis++) {
            position = position * shape[axis] + offset[axis] + (axis < index.length ? index[axis] : 0);
        }
        return position;
    }
}
