package io.github.cellfuse.format.file;

import java.util.Arrays;

/**
 * A block of a larger array: an offset and a number of elements along each axis. Both are in C order.
 *
 * @param shape the array's dimensions
 * @param offset the index of the block's first element
 * @param size the block's dimensions; the same number as the array's
 */
public record ArrayBlock(long[] shape, long[] offset, long[] size) {

    /** Receives a run of elements that are contiguous in both the array and the block. */
    public interface Stretch {
        /**
         * @param inArray index of the first element in the array
         * @param inBlock index of the first element in the block
         */
        void at(long inArray, int inBlock, int count);
    }

    /** Receives a run of elements that are contiguous in both the array and the block, of any size. */
    public interface LongStretch {
        /** @param inArray index of the first element in the array */
        void at(long inArray, long count);
    }

    /** Returns a block that covers a whole array. */
    public static ArrayBlock whole(long... shape) {
        return new ArrayBlock(shape, new long[shape.length], shape);
    }

    /** Returns the part with {@code count} elements along {@code axis}, starting at {@code first}. */
    public ArrayBlock part(int axis, long first, long count) {
        long[] from = offset.clone(), less = size.clone();
        from[axis] += first;
        less[axis] = count;
        return new ArrayBlock(shape, from, less);
    }

    /** Returns the number of elements in the block. */
    public long elementCount() {
        return Arrays.stream(size).reduce(1, (a, b) -> a * b);
    }

    /** Returns whether the block's elements are contiguous in the array. */
    public boolean isContiguous() {
        boolean isWhole = true; // along all inner axes
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            if (!isWhole && size[axis] != 1) {
                return false;
            }
            isWhole &= size[axis] == shape[axis];
        }
        return true;
    }

    /** Returns the index in the array of the block's first element. */
    public long first() {
        return position(new long[0]);
    }

    /** Visits the block, which has no more elements than an int counts, in runs that are as long as possible. */
    public void forEach(Stretch stretch) {
        int[] inBlock = {0};
        forEachLong((inArray, count) -> {
            int run = Math.toIntExact(count);
            stretch.at(inArray, inBlock[0], run);
            inBlock[0] += run;
        });
    }

    /** Visits the block in runs that are as long as possible, from the block's first element to its last. */
    public void forEachLong(LongStretch stretch) {
        if (elementCount() == 0) {
            return;
        }
        // Innermost axes that the block covers completely form one run with the next outer axis.
        int axis = shape.length;
        long run = 1;
        while (axis > 0 && (axis == shape.length || size[axis] == shape[axis])) {
            axis--;
            run *= size[axis];
        }
        long[] index = new long[axis];
        while (true) {
            stretch.at(position(index), run);
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
