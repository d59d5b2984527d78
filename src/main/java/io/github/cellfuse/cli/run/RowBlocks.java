package io.github.cellfuse.cli.run;

import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;

/**
 * A dense array {@code [outer,N,width]} seen by its rows: a range of rows is {@code outer} blocks, each of them contiguous.
 * Sequences in either layout and states are all of this form.
 *
 * @param outer the size of the dimension outside the rows'; 1 where rows come first
 * @param rows {@code N}
 * @param width values of a row within a block
 */
record RowBlocks(int outer, long rows, long width) {

    /** Reads {@code count} rows from {@code firstRow} on: {@code [outer,count,width]} into {@code target} from index 0 on. */
    void read(NpyArray array, long firstRow, int count, FloatBuffer target) {
        int block = Math.toIntExact(count * width);
        for (int k = 0; k < outer; k++) {
            array.read(offset(k, firstRow), target.slice(k * block, block));
        }
    }

    /** Writes {@code count} rows from {@code firstRow} on out of {@code source [outer,count,width]}, from index 0 on. */
    void write(ArraySink array, long firstRow, int count, FloatBuffer source) {
        int block = Math.toIntExact(count * width);
        for (int k = 0; k < outer; k++) {
            array.write(offset(k, firstRow), source.slice(k * block, block));
        }
    }

    private long offset(int outerIndex, long row) {
        return (outerIndex * rows + row) * width;
    }
}
