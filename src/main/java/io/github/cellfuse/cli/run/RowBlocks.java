package io.github.cellfuse.cli.run;

import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ArraySource;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import java.util.zip.Checksum;

/**
 * The rows of a dense array {@code [outer,N,width]}. A range of rows consists of {@code outer} contiguous blocks.
 * Sequences in either layout and states have this form.
 *
 * @param outer the size of the dimension before the rows; 1 if rows come first
 * @param rows {@code N}
 * @param width the number of values of a row within a block
 */
record RowBlocks(int outer, long rows, long width) {
    private static final FloatBuffer ZEROS = ByteBuffer.allocateDirect(1 << 18).asFloatBuffer();

    /**
     * Reads {@code count} rows, starting at {@code firstRow}, as {@code [outer,count,width]} to index 0 of
     * {@code target}.
     */
    void read(ArraySource array, long firstRow, int count, FloatBuffer target) {
        int block = Math.toIntExact(count * width);
        long[] firsts =
                IntStream.range(0, outer).mapToLong(k -> offset(k, firstRow)).toArray();
        array.readPieces(firsts, target.slice(0, outer * block));
    }

    /**
     * Writes {@code count} rows, starting at {@code firstRow}, from index 0 to the limit of {@code source
     * [outer,count,width]}, and updates {@code checksum} with their bytes in the file, block by block. Zeros follow
     * what is shorter: {@code [count,part of width]} if there is one block, otherwise {@code [part of
     * outer,count,width]}.
     */
    void write(ArraySink array, long firstRow, int count, FloatBuffer source, Checksum checksum) {
        long block = count * width;
        if (source.limit() < block && outer == 1) {
            int part = source.limit() / count;
            for (int k = 0; k < count; k++) {
                long first = offset(0, firstRow + k);
                array.write(first, source.slice(k * part, part), checksum);
                writeZeros(array, first + part, width - part, checksum);
            }
            return;
        }
        for (int k = 0; k < outer; k++) {
            if (k * block < source.limit()) {
                array.write(offset(k, firstRow), source.slice((int) (k * block), (int) block), checksum);
            } else {
                writeZeros(array, offset(k, firstRow), block, checksum);
            }
        }
    }

    private static void writeZeros(ArraySink array, long first, long count, Checksum checksum) {
        for (long done = 0; done < count; done += ZEROS.limit()) {
            int part = (int) Math.min(ZEROS.limit(), count - done);
            array.write(first + done, ZEROS.slice(0, part), checksum);
        }
    }

    /** Returns the first {@code steps} of these blocks, each of which is a step. */
    RowBlocks withSteps(int steps) {
        return new RowBlocks(Math.min(outer, steps), rows, width);
    }

    /** Updates {@code checksum} as {@link #write} does, with what the file holds. */
    void checksum(ArraySink array, long firstRow, int count, Checksum checksum) {
        for (int k = 0; k < outer; k++) {
            array.checksum(offset(k, firstRow), count * width, checksum);
        }
    }

    /** Treats {@code count} rows, starting at {@code firstRow}, as written by an earlier run. */
    void markWritten(ArraySink array, long firstRow, int count) {
        for (int k = 0; k < outer; k++) {
            array.markWritten(offset(k, firstRow), count * width);
        }
    }

    private long offset(int outerIndex, long row) {
        return (outerIndex * rows + row) * width;
    }
}
