package io.github.cellfuse.cli.run;

import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ArraySource;
import java.nio.FloatBuffer;
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

    /**
     * Reads {@code count} rows, starting at {@code firstRow}, as {@code [outer,count,width]} to index 0 of
     * {@code target}.
     */
    void read(ArraySource array, long firstRow, int count, FloatBuffer target) {
        int block = Math.toIntExact(count * width);
        for (int k = 0; k < outer; k++) {
            array.read(offset(k, firstRow), target.slice(k * block, block));
        }
    }

    /**
     * Writes {@code count} rows, starting at {@code firstRow}, from index 0 of {@code source [outer,count,width]}, and
     * updates {@code checksum} with their bytes in the file, block by block.
     */
    void write(ArraySink array, long firstRow, int count, FloatBuffer source, Checksum checksum) {
        int block = Math.toIntExact(count * width);
        for (int k = 0; k < outer; k++) {
            array.write(offset(k, firstRow), source.slice(k * block, block), checksum);
        }
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
