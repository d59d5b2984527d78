package io.github.cellfuse.format.arrow;

import io.github.cellfuse.format.arrow.ColumnType.Lists;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.FieldNode;
import org.apache.arrow.flatbuf.RecordBatch;

/**
 * The rows of a column in one record batch. The numbers of consecutive rows follow each other. All that is known when
 * it is opened is checked: the place of every buffer, every offset, and that there are no nulls.
 */
final class BatchColumn {
    private final MappedFile file;
    private final ColumnType type;
    private final long firstRow;
    private final long rows;
    private final int unit; // numbers for each element of a row's list
    private final long offsets; // of the rows' lists, in bytes from the file's start
    private final long values; // of the number at offset 0
    private final long longest;

    private BatchColumn(Opening opening, long firstRow, int features) {
        file = opening.file;
        type = opening.type;
        this.firstRow = firstRow;
        rows = opening.batch.length();
        opening.check(rows >= 0, "rows");
        opening.checkNode(rows);
        OptionalLong nullRow = opening.firstNull(rows);
        if (nullRow.isPresent()) {
            throw opening.nullIn(firstRow + nullRow.getAsLong(), "it is null");
        }
        unit = type.inner() == Lists.NONE ? 1 : type.inner() == Lists.FIXED ? type.innerSize() : features;
        offsets = opening.offsets(type.outer(), rows);
        long steps = opening.childCount(type.outer(), type.outerSize(), rows);
        longest = type.isRagged() ? checkOffsets(opening, steps, features) : type.outerSize();
        long innerStart = 0;
        long numbers = steps;
        if (type.inner() != Lists.NONE) {
            checkNoNulls(opening, steps, 1, "one of its steps is null");
            long innerOffsets = opening.offsets(type.inner(), steps);
            numbers = opening.childCount(type.inner(), type.innerSize(), steps);
            if (type.inner() != Lists.FIXED) {
                innerStart = checkSteps(opening, innerOffsets, steps, numbers, features);
            }
        }
        checkNoNulls(opening, numbers, unit, "one of its values is null");
        values = opening.region(Math.multiplyExact(numbers, type.element().bytes()))
                + innerStart * type.element().bytes();
    }

    /**
     * Opens the column of a batch.
     *
     * @param bodyStart the first byte of the batch's buffers
     * @param firstRow the number of rows in the batches before
     * @param features the numbers of a step
     */
    static BatchColumn open(
            MappedFile file,
            ArrowSequences.Column column,
            RecordBatch batch,
            long bodyStart,
            long bodyLength,
            long firstRow,
            int features) {
        return new BatchColumn(new Opening(file, column, batch, bodyStart, bodyLength), firstRow, features);
    }

    long firstRow() {
        return firstRow;
    }

    long rows() {
        return rows;
    }

    /** Returns the numbers of the longest row. */
    long longest() {
        return longest * unit;
    }

    /** Returns the place in the file of the first number of a batch whose rows have one length. */
    long position(long element) {
        return values + element * type.element().bytes();
    }

    /** Returns where {@code count} rows from {@code row} on begin and end: {@code count + 1} numbers. */
    long[] bounds(long row, int count) {
        long[] bounds = new long[count + 1];
        int bytes = type.outer().offsetBytes();
        for (int k = 0; k < bounds.length; ) {
            ByteBuffer view = file.view(offsets + (row + k) * bytes, (long) (bounds.length - k) * bytes, bytes);
            for (int at = 0; at < view.limit(); at += bytes) {
                bounds[k++] = offset(view, at, bytes) * unit;
            }
        }
        return bounds;
    }

    private static long offset(ByteBuffer view, int at, int bytes) {
        return bytes == Integer.BYTES ? view.getInt(at) : view.getLong(at);
    }

    /** Reads offset after offset. */
    private interface Each {
        void accept(long index, long from, long to);
    }

    private static void forEach(MappedFile file, long start, int bytes, long lists, Each each) {
        long[] last = {0};
        for (long k = 0; k <= lists; ) {
            ByteBuffer view = file.view(start + k * bytes, (lists + 1 - k) * bytes, bytes);
            for (int at = 0; at < view.limit(); at += bytes, k++) {
                long next = offset(view, at, bytes);
                if (k > 0) {
                    each.accept(k - 1, last[0], next);
                }
                last[0] = next;
            }
        }
    }

    /** Checks the rows' offsets and returns the longest list. */
    private long checkOffsets(Opening opening, long elements, int features) {
        long[] most = {0};
        if (rows > 0) {
            forEach(file, offsets, type.outer().offsetBytes(), rows, (row, from, to) -> {
                opening.check(from >= 0 && to >= from && to <= elements, "offsets of row " + (firstRow + row));
                if (type.inner() == Lists.NONE && (to - from) % features != 0) {
                    throw opening.invalid("row " + (firstRow + row) + ": expected a multiple of " + features
                            + " values, the features of the model, found " + (to - from));
                }
                most[0] = Math.max(most[0], to - from);
            });
        }
        return most[0];
    }

    /** Checks that each step has the numbers that it must have, and returns where the first one begins. */
    private long checkSteps(Opening opening, long innerOffsets, long steps, long numbers, int features) {
        long[] start = {0};
        if (steps > 0) {
            forEach(file, innerOffsets, type.inner().offsetBytes(), steps, (step, from, to) -> {
                opening.check(from >= 0 && to >= from && to <= numbers, "offsets of steps");
                if (to - from != features) {
                    throw opening.invalid("row " + rowOf(step) + ": expected " + features
                            + " values in each step, the features of the model, found " + (to - from));
                }
                if (step == 0) {
                    start[0] = from;
                }
            });
        }
        return start[0];
    }

    /** @param perStep the elements for each element of a row's list */
    private void checkNoNulls(Opening opening, long elements, int perStep, String what) {
        opening.checkNode(elements);
        OptionalLong at = opening.firstNull(elements);
        if (at.isPresent()) {
            throw opening.nullIn(rowOf(at.getAsLong() / Math.max(1, perStep)), what);
        }
    }

    /** Returns the row that an element of the rows' lists belongs to. */
    private long rowOf(long element) {
        if (!type.isRagged()) {
            return firstRow + element / Math.max(1, type.outerSize());
        }
        long low = 0;
        long high = rows - 1;
        while (low < high) { // the first row that ends behind the element
            long middle = (low + high) >>> 1;
            if (bounds(middle, 1)[1] > element * unit) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return firstRow + low;
    }

    /** Goes through the nodes and buffers of the column, in order. */
    private static final class Opening {
        private final MappedFile file;
        private final ArrowSequences.Column column;
        private final ColumnType type;
        private final RecordBatch batch;
        private final long bodyStart;
        private final long bodyLength;
        private int node;
        private int buffer;

        Opening(MappedFile file, ArrowSequences.Column column, RecordBatch batch, long bodyStart, long bodyLength) {
            this.file = file;
            this.column = column;
            this.type = column.type();
            this.batch = batch;
            this.bodyStart = bodyStart;
            this.bodyLength = bodyLength;
            node = column.place().node();
            long first = column.place().buffer();
            for (int k = 0; k < column.place().views(); k++) {
                first += batch.variadicBufferCounts(k);
            }
            buffer = Math.toIntExact(first);
            check(buffer >= 0 && buffer < batch.buffersLength(), "buffers");
            check(node < batch.nodesLength(), "nodes");
        }

        RuntimeException invalid(String what) {
            return Problems.invalid(file.label(), "column " + Problems.quote(column.name()) + ": " + what);
        }

        RuntimeException nullIn(long row, String what) {
            return invalid("row " + row + ": expected no nulls, found that " + what);
        }

        void check(boolean isGood, String what) {
            if (!isGood) {
                throw invalid("damaged: its " + what + " don't fit the file");
            }
        }

        /** Checks the length of the current node. */
        void checkNode(long length) {
            check(node < batch.nodesLength() && batch.nodes(node).length() == length, "lengths");
        }

        /** Returns the first null of the current node, and goes to the next node and buffer. */
        OptionalLong firstNull(long length) {
            FieldNode of = batch.nodes(node++);
            if (of.nullCount() == 0 || length == 0) {
                buffer++;
                return OptionalLong.empty();
            }
            long start = region((length + 7) / 8);
            for (long k = 0; k < length; ) {
                ByteBuffer view = file.view(start + k / 8, (length - k + 7) / 8, 1);
                for (int at = 0; at < view.limit() && k < length; at++) {
                    int valid = view.get(at) & 0xFF;
                    long firstNull = k + Integer.numberOfTrailingZeros(~valid);
                    if (firstNull < Math.min(k + 8, length)) {
                        return OptionalLong.of(firstNull);
                    }
                    k += 8;
                }
            }
            return OptionalLong.empty();
        }

        /** Returns the place of the current lists' offsets. */
        long offsets(Lists lists, long count) {
            if (lists.offsetBytes() == 0) {
                return 0;
            }
            // Without lists, the only offset may be missing.
            return region(count == 0 ? 0 : Math.multiplyExact(count + 1, lists.offsetBytes()));
        }

        /** Returns the number of elements in all lists. */
        long childCount(Lists lists, int fixedSize, long count) {
            check(node < batch.nodesLength(), "nodes");
            return lists == Lists.FIXED
                    ? Math.multiplyExact(count, fixedSize)
                    : batch.nodes(node).length();
        }

        /** Returns the place in the file of the current buffer, and goes to the next one. */
        long region(long bytes) {
            check(buffer < batch.buffersLength(), "buffers");
            Buffer at = batch.buffers(buffer++);
            check(
                    bytes >= 0
                            && at.length() >= bytes
                            && at.offset() >= 0
                            && at.length() <= bodyLength
                            && at.offset() <= bodyLength - at.length(),
                    "buffers");
            return bodyStart + at.offset();
        }
    }
}
