package io.github.cellfuse.format.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads an array in Fortran order, in which the first index runs fastest, as if it were in C order, in which the last
 * one does: a transposition, tile by tile, through a few MiB of memory. Belongs to one thread.
 *
 * <pre>
 *                 first index, n
 *               +---+-----------+----
 *   the others, |   | run       |         A tile is read in runs along n, which are contiguous in the file,
 *   c           |   | run       |         and handed on in stretches along c, which are contiguous in C order.
 *               |   | run       |
 * </pre>
 *
 * Every run costs a read, so tiles are as long along {@code n} as the block is, up to some thousand elements.
 */
public final class FortranOrder {
    private static final int TILE_BYTES = 4 << 20;

    /** A run of so many elements takes much longer than the call that reads it. */
    private static final int LONG_RUN = 4096;

    /** Columns at a time: of each, a cache line stays in the fastest cache while 16 rows of float32 are copied. */
    private static final int COLUMNS = 64;

    private final long[] shape;
    private final int width;
    private ByteBuffer inFileOrder, inOrder; // null before the first tile

    /** Receives elements in C order. */
    public interface Receiver {
        /**
         * Takes elements that follow each other.
         *
         * @param elements their bytes, valid during the call
         * @param first the number of elements of the block before them
         */
        void take(ByteBuffer elements, long first);
    }

    /**
     * A block, and where it is wanted.
     *
     * @param at the number of wanted elements before it
     */
    private record Placed(ArrayBlock block, long at) {
        /** Returns one block of this and {@code next}, if that lies behind it in the array as where it is wanted. */
        boolean joins(Placed next) {
            long[] end = block.offset().clone();
            end[0] += block.size()[0];
            long[] size = next.block.size().clone();
            size[0] = block.size()[0];
            return Arrays.equals(end, next.block.offset())
                    && Arrays.equals(size, block.size())
                    && at + block.elementCount() == next.at;
        }

        Placed with(Placed next) {
            return new Placed(block.part(0, 0, block.size()[0] + next.block.size()[0]), at);
        }
    }

    /**
     * Prepares to read.
     *
     * @param shape the dimensions of the array
     * @param width the bytes of an element: 1, 2, 4 or 8
     */
    public FortranOrder(long[] shape, int width) {
        this.shape = shape;
        this.width = width;
    }

    /**
     * Reads pieces of equal length.
     *
     * @param firsts the first element of each piece, in C order
     * @param length the number of elements of a piece
     * @param file reads the bytes of the array
     * @param start the position of the array's first byte
     * @param receiver takes elements with the number of those before them in all pieces
     */
    public void read(long[] firsts, long length, ElementReader file, long start, ByteOrder order, Receiver receiver)
            throws IOException {
        List<Placed> all = new ArrayList<>();
        for (int k = 0; k < firsts.length; k++) {
            split(0, new long[shape.length], firsts[k], length, k * length, all);
        }
        for (Placed each : all) {
            read(each.block, file, start, order, (elements, first) -> receiver.take(elements, each.at + first));
        }
    }

    /**
     * Divides elements that follow each other in C order into blocks: the end of a row, whole rows, the beginning of a
     * row, and so on for each axis.
     *
     * @param axis the first whose index isn't in {@code index}
     */
    private void split(int axis, long[] index, long first, long count, long at, List<Placed> all) {
        long inner = 1;
        for (int k = axis + 1; k < shape.length; k++) {
            inner *= shape[k];
        }
        long from = first, left = count, to = at;
        while (left > 0) {
            long[] offset = index.clone();
            offset[axis] = from / inner;
            long part = Math.min(left, inner - from % inner);
            if (part == inner) {
                part = left - left % inner;
                long[] size = shape.clone();
                Arrays.fill(size, 0, axis, 1);
                size[axis] = part / inner;
                add(new Placed(new ArrayBlock(shape, offset, size), to), all);
            } else {
                split(axis + 1, offset, from % inner, part, to, all);
            }
            from += part;
            left -= part;
            to += part;
        }
    }

    private static void add(Placed next, List<Placed> all) {
        Placed last = all.isEmpty() ? null : all.get(all.size() - 1);
        if (last != null && last.joins(next)) {
            all.set(all.size() - 1, last.with(next));
        } else {
            all.add(next);
        }
    }

    /**
     * Reads a block.
     *
     * @param file reads the bytes of the array
     * @param start the position of the array's first byte
     */
    public void read(ArrayBlock block, ElementReader file, long start, ByteOrder order, Receiver receiver)
            throws IOException {
        if (block.elementCount() == 0) {
            return;
        }
        long[] tile = tile(block.size()), at = new long[shape.length];
        while (true) {
            long[] offset = new long[shape.length], size = new long[shape.length];
            for (int axis = 0; axis < shape.length; axis++) {
                offset[axis] = block.offset()[axis] + at[axis];
                size[axis] = Math.min(tile[axis], block.size()[axis] - at[axis]);
            }
            readTile(new ArrayBlock(shape, offset, size), file, start);
            transpose(size);
            new ArrayBlock(block.size(), at, size).forEachLong(new ArrayBlock.LongStretch() {
                private int done;

                @Override
                public void at(long inBlock, long count) {
                    int bytes = (int) count * width;
                    receiver.take(inOrder.slice(done, bytes).order(order), inBlock);
                    done += bytes;
                }
            });
            int axis = shape.length - 1;
            while (axis >= 0 && (at[axis] += tile[axis]) >= block.size()[axis]) {
                at[axis--] = 0;
            }
            if (axis < 0) {
                return;
            }
        }
    }

    /** Returns the size of a tile: long along the first axis, then with as many whole inner axes as there is room. */
    private long[] tile(long[] size) {
        long[] tile = new long[size.length];
        Arrays.fill(tile, 1);
        long room = TILE_BYTES / width;
        long columns = Arrays.stream(size).skip(1).reduce(1, (a, b) -> Math.min(room, a * Math.min(room, b)));
        tile[0] = Math.min(size[0], Math.max(LONG_RUN, room / columns));
        long left = room / tile[0];
        for (int axis = size.length - 1; axis > 0; axis--) {
            tile[axis] = Math.min(size[axis], left);
            left /= tile[axis];
        }
        return tile;
    }

    /** Reads a tile into {@link #inFileOrder}. */
    private void readTile(ArrayBlock tile, ElementReader file, long start) throws IOException {
        int bytes = (int) tile.elementCount() * width;
        if (inFileOrder == null || inFileOrder.capacity() < bytes) {
            inFileOrder = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
            inOrder = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        }
        // The same array with its axes turned round is in C order.
        ArrayBlock turned = new ArrayBlock(turned(tile.shape()), turned(tile.offset()), turned(tile.size()));
        Runs runs = new Runs();
        turned.forEachLong(runs);
        for (int run = 0, done = 0; run < runs.count; run++) {
            int length = (int) runs.lengths[run] * width;
            file.fill(start + runs.firsts[run] * width, inFileOrder.slice(done, length));
            done += length;
        }
    }

    /** The stretches of a tile in the file; a list, as reading throws. */
    private static final class Runs implements ArrayBlock.LongStretch {
        private long[] firsts = new long[16], lengths = new long[16];
        private int count;

        @Override
        public void at(long first, long length) {
            if (count == firsts.length) {
                firsts = Arrays.copyOf(firsts, 2 * count);
                lengths = Arrays.copyOf(lengths, 2 * count);
            }
            firsts[count] = first;
            lengths[count++] = length;
        }
    }

    private static long[] turned(long[] values) {
        long[] turned = new long[values.length];
        for (int k = 0; k < turned.length; k++) {
            turned[k] = values[values.length - 1 - k];
        }
        return turned;
    }

    /** Copies a tile from {@link #inFileOrder} to {@link #inOrder}. */
    private void transpose(long[] size) {
        int rows = (int) size[0];
        int[] from = columns(size);
        for (int first = 0; first < from.length; first += COLUMNS) {
            int end = Math.min(from.length, first + COLUMNS);
            for (int row = 0; row < rows; row++) {
                int to = row * from.length;
                switch (width) {
                    case 1 -> {
                        for (int c = first; c < end; c++) {
                            inOrder.put(to + c, inFileOrder.get(from[c] + row));
                        }
                    }
                    case 2 -> {
                        for (int c = first; c < end; c++) {
                            inOrder.putShort(2 * (to + c), inFileOrder.getShort(2 * (from[c] + row)));
                        }
                    }
                    case 4 -> {
                        for (int c = first; c < end; c++) {
                            inOrder.putInt(4 * (to + c), inFileOrder.getInt(4 * (from[c] + row)));
                        }
                    }
                    default -> {
                        for (int c = first; c < end; c++) {
                            inOrder.putLong(8 * (to + c), inFileOrder.getLong(8 * (from[c] + row)));
                        }
                    }
                }
            }
        }
    }

    /** Returns where each column of a tile, in C order of the other axes, begins in {@link #inFileOrder}. */
    private static int[] columns(long[] size) {
        int[] from = {0};
        int stride = (int) Arrays.stream(size).reduce(1, (a, b) -> a * b);
        for (int axis = size.length - 1, count = 1; axis > 0; axis--) {
            stride /= (int) size[axis];
            int[] outer = new int[count * (int) size[axis]];
            for (int index = 0; index < size[axis]; index++) {
                for (int c = 0; c < count; c++) {
                    outer[index * count + c] = index * stride + from[c];
                }
            }
            from = outer;
            count = outer.length;
        }
        return from;
    }
}
