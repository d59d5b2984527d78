package io.github.cellfuse.format.arrow;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.flatbuf.Block;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.arrow.flatbuf.Endianness;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.Footer;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;

/**
 * A column of an Apache Arrow file (Arrow IPC, Feather version 2) as an array {@code [N,T,I]} of all rows, read where
 * it is: the file is mapped and may be larger than memory. The column holds in each row
 *
 * <ul>
 *   <li>a fixed-size list of {@code T*I} numbers, or of {@code T} fixed-size lists of {@code I} numbers, or
 *   <li>a list of numbers, or a list of lists or fixed-size lists of {@code I} numbers: the row then has a length of
 *       its own, {@code T} is the longest, and zeros follow.
 * </ul>
 *
 * <p>Numbers are floats of 16, 32 and 64 bits and integers of 8 to 64 bits. Nulls and compressed files are refused.
 */
public final class ArrowSequences implements ArraySource {

    /** After the footer: its length and the magic. */
    private static final int TAIL = Integer.BYTES + ArrowSignature.MAGIC.length();

    /** The first 4 bytes of a stream's or a message's prefix. */
    private static final int CONTINUATION = -1;

    /** Descriptions are small; a longer one is damaged. */
    private static final int LONGEST_DESCRIPTION = 1 << 28;

    private final String name;
    private final MappedFile file;
    private final ColumnType type;
    private final BatchColumn[] batches;
    private final int features;
    private final long[] shape;

    /** A column: its name, its type, and its place in a batch. */
    record Column(String name, ColumnType type, ColumnPlace place) {}

    private ArrowSequences(MappedFile file, Column column, BatchColumn[] batches, int features) {
        this.name = file.label() + ":" + column.name();
        this.file = file;
        this.type = column.type();
        this.batches = batches;
        this.features = features;
        long rows =
                batches.length == 0 ? 0 : batches[batches.length - 1].firstRow() + batches[batches.length - 1].rows();
        long longest = Arrays.stream(batches)
                .mapToLong(BatchColumn::longest)
                .max()
                .orElse((long) type.outerSize() * Math.max(1, type.innerSize()));
        shape = new long[] {rows, features == 0 ? 0 : longest / features, features};
        Sizes.product(name + ": shape " + Problems.shape(shape), shape);
    }

    /**
     * Opens a column, and reads all that describes its rows.
     *
     * @param column its name; if empty, the only column of sequences
     * @param features the number {@code I} of values of a step, where the column's type doesn't say it
     * @throws InvalidInputException when the file isn't there or isn't whole, there is no such column, or it has nulls
     *     or rows that don't fit
     * @throws CellFuseException when the disk fails
     */
    public static ArrowSequences open(Path path, Optional<String> column, int features) {
        MappedFile file = MappedFile.open(path);
        try {
            ArrowSequences[] opened = new ArrowSequences[1];
            file.guarded(() -> opened[0] = open(file, column, features));
            return opened[0];
        } catch (CellFuseException e) {
            throw e;
        } catch (RuntimeException e) {
            // FlatBuffers have no checks: in a damaged file, whatever is read first doesn't fit.
            throw Problems.invalid(path, "damaged: the description of its columns can't be read", e);
        }
    }

    private static ArrowSequences open(MappedFile file, Optional<String> name, int features) {
        Footer footer = footer(file);
        Schema schema = footer.schema();
        if (schema.endianness() != Endianness.Little) {
            throw Problems.invalid(file.label(), "byte order: expected little-endian, found big-endian");
        }
        Column column = column(file, schema, name, footer.version());
        int width = width(file, column, features);
        List<BatchColumn> batches = new ArrayList<>();
        long firstRow = 0;
        for (int k = 0; k < footer.recordBatchesLength(); k++) {
            BatchColumn batch = batch(file, footer.recordBatches(k), column, firstRow, width);
            batches.add(batch);
            firstRow = Math.addExact(firstRow, batch.rows());
        }
        return new ArrowSequences(file, column, batches.toArray(BatchColumn[]::new), width);
    }

    private static Footer footer(MappedFile file) {
        long size = file.size();
        String start = new String(
                file.bytes(0, (int) Math.min(size, ArrowSignature.MAGIC.length())), StandardCharsets.ISO_8859_1);
        if (start.startsWith("PAR1")) {
            throw refused(file, "Parquet", "pyarrow.parquet.read_table(\"x.parquet\")");
        }
        if (start.startsWith("FEA1")) {
            throw refused(file, "Feather version 1", "pyarrow.feather.read_table(\"x.feather\")");
        }
        if (start.startsWith("\u00FF\u00FF\u00FF\u00FF")) {
            throw refused(file, "an Arrow stream", "pyarrow.ipc.open_stream(\"x.arrows\").read_all()");
        }
        byte[] magic = ArrowSignature.MAGIC.getBytes(StandardCharsets.ISO_8859_1);
        if (size < 2 * TAIL || !Arrays.equals(file.bytes(size - magic.length, magic.length), magic)) {
            throw Problems.invalid(
                    file.label(), "truncated: expected " + ArrowSignature.MAGIC + " at the end, which isn't there");
        }
        int length = file.copy(size - TAIL, Integer.BYTES).getInt(0);
        if (length <= 0 || length > LONGEST_DESCRIPTION || length > size - TAIL) {
            throw Problems.invalid(file.label(), "footer: expected a length within the file, found " + length);
        }
        return Footer.getRootAsFooter(file.copy(size - TAIL - length, length));
    }

    private static InvalidInputException refused(MappedFile file, String what, String table) {
        return Problems.invalid(
                file.label(),
                "expected an Arrow file, found " + what + "; write one with pyarrow.feather.write_feather(" + table
                        + ", \"x.arrow\", compression=\"uncompressed\")");
    }

    private static Column column(MappedFile file, Schema schema, Optional<String> name, short version) {
        List<String> names = new ArrayList<>();
        List<Column> found = new ArrayList<>();
        for (int k = 0; k < schema.fieldsLength(); k++) {
            Field field = schema.fields(k);
            String of = field.name() == null ? "" : field.name();
            boolean isNamed = name.isPresent() && name.get().equals(of);
            Optional<ColumnType> type = ColumnType.of(field);
            if (isNamed && type.isEmpty()) {
                throw Problems.invalid(
                        file.label(),
                        "column " + Problems.quote(of) + ": expected lists of numbers, or of lists of numbers, found "
                                + ColumnType.describe(field));
            }
            if (isNamed || name.isEmpty() && type.isPresent()) {
                found.add(new Column(of, type.get(), ColumnPlace.of(schema, k, version)));
            }
            names.add(of);
        }
        if (found.isEmpty()) {
            throw Problems.invalid(
                    file.label(),
                    "expected a column " + name.map(Problems::quote).orElse("of lists of numbers") + ", found "
                            + (name.isPresent() ? "" : "none among ") + Problems.some(names));
        }
        if (found.size() > 1) {
            throw Problems.invalid(
                    file.label(),
                    "expected one column of lists of numbers, found "
                            + Problems.some(found.stream().map(Column::name).toList()) + "; choose one as "
                            + file.label() + ":NAME");
        }
        return found.get(0);
    }

    /** Returns the number of values of a step. */
    private static int width(MappedFile file, Column column, int features) {
        ColumnType type = column.type();
        if (type.outerSize() < 0 || type.innerSize() < 0) {
            throw new IllegalArgumentException("negative size");
        }
        if (type.inner() == ColumnType.Lists.FIXED) {
            return type.innerSize();
        }
        if (type.outer() == ColumnType.Lists.FIXED && type.outerSize() % features != 0) {
            throw Problems.invalid(
                    file.label(),
                    "column " + Problems.quote(column.name()) + ": expected a multiple of " + features
                            + " values in each row, the features of the model, found " + type.outerSize());
        }
        return features;
    }

    private static BatchColumn batch(MappedFile file, Block block, Column column, long firstRow, int features) {
        long start = block.offset();
        int length = block.metaDataLength();
        long body = block.bodyLength();
        long size = file.size();
        if (start < 0
                || length < 2 * Integer.BYTES
                || length > LONGEST_DESCRIPTION
                || body < 0
                || start > size - length
                || body > size - length - start) {
            throw Problems.invalid(file.label(), "truncated: a batch of rows doesn't fit the file");
        }
        ByteBuffer description = file.copy(start, length);
        // Files from before version 0.15 lack the first of the prefix's two numbers.
        int prefix = description.getInt(0) == CONTINUATION ? 2 * Integer.BYTES : Integer.BYTES;
        Message message = Message.getRootAsMessage(
                description.slice(prefix, length - prefix).order(ByteOrder.LITTLE_ENDIAN));
        if (message.headerType() != MessageHeader.RecordBatch) {
            throw new IllegalArgumentException("expected a batch");
        }
        RecordBatch batch = (RecordBatch) message.header(new RecordBatch());
        if (batch.compression() != null) {
            throw Problems.invalid(
                    file.label(),
                    "expected no compression, found "
                            + CompressionType.name(batch.compression().codec())
                            + "; write it with compression=\"uncompressed\" (Feather) or compression=None"
                            + " (pyarrow.ipc.IpcWriteOptions)");
        }
        return BatchColumn.open(file, column, batch, start + length, body, firstRow, features);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public void read(long firstElement, FloatBuffer target) {
        file.guarded(() -> readUnguarded(firstElement, target));
    }

    @Override
    public void readPieces(long[] firstElements, FloatBuffer target) {
        // One guard for all: it asks the system for the state of the file.
        file.guarded(() -> {
            int limit = target.limit(), length = target.remaining() / firstElements.length;
            for (long first : firstElements) {
                readUnguarded(first, target.limit(target.position() + length));
                target.limit(limit);
            }
        });
    }

    private void readUnguarded(long firstElement, FloatBuffer target) {
        long width = shape[1] * features;
        if (firstElement < 0 || firstElement > shape[0] * width - target.remaining()) {
            throw Problems.invalid(
                    name,
                    "expected elements within shape " + Problems.shape(shape) + ", found " + target.remaining()
                            + " from element " + firstElement + " on");
        }
        int limit = target.limit();
        long from = firstElement;
        for (int k = batchOf(firstElement / Math.max(1, width)); target.hasRemaining(); k++) {
            BatchColumn batch = batches[k];
            long within = from - batch.firstRow() * width;
            int count = (int) Math.min(limit - target.position(), batch.rows() * width - within);
            if (count > 0) {
                target.limit(target.position() + count);
                if (type.isRagged()) {
                    readRagged(batch, within, width, target);
                } else {
                    file.viewFloats(batch.position(within), type.element(), ByteOrder.LITTLE_ENDIAN, target);
                }
                target.limit(limit);
                from += count;
            }
        }
    }

    /** Reads values of a batch, with zeros behind each row. */
    private void readRagged(BatchColumn batch, long firstElement, long width, FloatBuffer target) {
        int end = target.limit();
        long row = firstElement / width;
        int count = (int) ((firstElement + target.remaining() - 1) / width - row) + 1;
        long[] bounds = batch.bounds(row, count);
        long within = firstElement - row * width; // of the first row
        for (int k = 0; k < count; k++) {
            int rowEnd = (int) Math.min(end, target.position() + width - within);
            long valid = bounds[k + 1] - bounds[k] - within;
            if (valid > 0) {
                target.limit((int) Math.min(rowEnd, target.position() + valid));
                long position = batch.position(bounds[k] + within);
                file.viewFloats(position, type.element(), ByteOrder.LITTLE_ENDIAN, target);
                target.limit(end);
            }
            while (target.position() < rowEnd) {
                target.put(0);
            }
            within = 0;
        }
    }

    @Override
    public Optional<int[]> readLengths(long firstRow, int rows) {
        if (!type.isRagged()) {
            return Optional.empty();
        }
        int[] lengths = new int[rows];
        file.guarded(() -> {
            for (int done = 0, k = batchOf(firstRow); done < rows; k++) {
                BatchColumn batch = batches[k];
                long row = firstRow + done - batch.firstRow();
                int count = (int) Math.min(rows - done, batch.rows() - row);
                if (count > 0) {
                    long[] bounds = batch.bounds(row, count);
                    for (int r = 0; r < count; r++) {
                        lengths[done++] = features == 0 ? 0 : Math.toIntExact((bounds[r + 1] - bounds[r]) / features);
                    }
                }
            }
        });
        return Optional.of(lengths);
    }

    /** Returns the index of the last batch that begins at or before a row. */
    private int batchOf(long row) {
        int low = 0;
        int high = batches.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (batches[middle].firstRow() <= row) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    @Override
    public void close() {
        file.close();
    }
}
