package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.util.TaskCompletionListener;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import scala.Tuple2;

/**
 * A main class for {@code spark-submit}: makes tables with the columns {@code id} and {@code features} of random
 * numbers or of a {@code .npy} file, and a {@code .npy} file of a table's column, to compare it with what
 * {@code cellfuse run} writes.
 */
@Command(
        name = "NpyTable",
        mixinStandardHelpOptions = true,
        description = "Turns .npy files into tables of Parquet files and back.",
        subcommands = {NpyTable.Generate.class, NpyTable.FromNpy.class, NpyTable.ToNpy.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:Done.", "1:It failed.", "2:The input or the arguments are wrong."})
public final class NpyTable implements Callable<Integer> {
    private static final String ID = "id", FEATURES = "features";

    @Spec
    private CommandSpec spec;

    private NpyTable() {}

    public static void main(String[] words) {
        System.exit(SparkCommands.execute(new NpyTable(), words));
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "expected a command: " + String.join(", ", spec.subcommands().keySet()));
    }

    /** The table that a command writes. */
    private static final class NewTable {
        @Option(
                names = "--partitions",
                paramLabel = "N",
                defaultValue = "8",
                description = "Default: ${DEFAULT-VALUE}.")
        private int partitions;

        @Option(names = "--output", paramLabel = "TABLE", required = true, description = "The table to write.")
        private String output;

        private void write(SparkSession session, long rows, RowSource source) {
            session.range(0, rows, 1, partitions)
                    .mapPartitions(source, pairs(session))
                    .toDF(ID, FEATURES)
                    .write()
                    .mode(SaveMode.ErrorIfExists)
                    .parquet(output);
        }
    }

    @Command(name = "generate", mixinStandardHelpOptions = true, description = "A table of uniform numbers in [-1, 1).")
    static final class Generate implements Callable<Integer> {
        @Option(
                names = "--rows",
                paramLabel = "N",
                defaultValue = "1000000",
                description = "Default: ${DEFAULT-VALUE}.")
        private long rows;

        @Option(
                names = "--length",
                paramLabel = "N",
                required = true,
                description = "Numbers of a row: the time steps times the model's inputs.")
        private int length;

        @Option(
                names = "--seed",
                paramLabel = "S",
                defaultValue = "1",
                description = "The same seed gives the same rows, on any cluster. Default: ${DEFAULT-VALUE}.")
        private long seed;

        @Mixin
        private NewTable table;

        @Override
        public Integer call() throws IOException {
            try (SparkSession session = SparkCommands.session("CellFuse: generate")) {
                long started = System.nanoTime();
                table.write(session, rows, new RandomRows(length, seed));
                SparkCommands.sayRate("wrote", rows, System.nanoTime() - started);
                return 0;
            }
        }
    }

    @Command(
            name = "from-npy",
            mixinStandardHelpOptions = true,
            description = "A table of a file's rows: [N, ...] gives N rows of as many numbers as follow.")
    static final class FromNpy implements Callable<Integer> {
        @Parameters(paramLabel = "FILE", description = "A .npy file, which each executor can read under this name.")
        private Path file;

        @Mixin
        private NewTable table;

        @Override
        public Integer call() throws IOException {
            long rows, length;
            try (NpyArray array = NpyArray.open(file)) {
                long[] shape = array.shape();
                if (shape.length == 0 || shape[0] == 0) {
                    throw new InvalidInputException(
                            file + ": expected rows in the shape [N, ...], found " + Arrays.toString(shape));
                }
                rows = shape[0];
                length = array.elementCount() / rows;
            }
            try (SparkSession session = SparkCommands.session("CellFuse: from-npy")) {
                long started = System.nanoTime();
                String path = file.toAbsolutePath().toString();
                table.write(session, rows, new FileRows(path, Math.toIntExact(length)));
                SparkCommands.sayRate("wrote", rows, System.nanoTime() - started);
                return 0;
            }
        }
    }

    @Command(
            name = "to-npy",
            mixinStandardHelpOptions = true,
            description = "A .npy file of a table's column. Row K of the file is the one with id K.")
    static final class ToNpy implements Callable<Integer> {
        @Parameters(paramLabel = "TABLE", description = "The table to read.")
        private String table;

        @Option(names = "--column", paramLabel = "C", required = true, description = "The column to write.")
        private String column;

        @Option(
                names = "--shape",
                paramLabel = "N,...",
                split = ",",
                description = "Shape of a row in the file. Default: as many numbers as it has.")
        private long[] shape;

        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                required = true,
                description = "The file to write.")
        private Path output;

        @Option(names = "--overwrite", description = "Replace the file if it exists.")
        private boolean overwrite;

        @Override
        public Integer call() throws IOException {
            try (SparkSession session = SparkCommands.session("CellFuse: to-npy")) {
                Dataset<Row> rows = session.read().parquet(table);
                write(session, rows);
                return 0;
            }
        }

        /**
         * Rows come in any order, so nothing is sorted; but each has to come once, which tasks run again might break.
         */
        private void write(SparkSession session, Dataset<Row> rows) {
            Column numbers = SparkCommands.floats(rows, column);
            Dataset<Tuple2<Long, float[]>> pairs =
                    rows.select(functions.col(ID).cast("bigint"), numbers).as(pairs(session));
            long count = pairs.count();
            if (count == 0) {
                throw new InvalidInputException(table + ": expected rows, found none");
            }
            int length = of(pairs.first()).length;
            long[] dims = shape == null ? new long[] {length} : shape;
            if (Arrays.stream(dims).reduce(1, Math::multiplyExact) != length) {
                throw new InvalidInputException("--shape: expected a product of " + length + ", found "
                        + Arrays.toString(dims) + "; rows of column " + column + " have " + length + " numbers");
            }
            BitSet seen = new BitSet(Math.toIntExact(count));
            long[] all =
                    LongStream.concat(LongStream.of(count), Arrays.stream(dims)).toArray();
            try (NpyWriter out = NpyWriter.create(output, overwrite, all)) {
                for (Iterator<Tuple2<Long, float[]>> each = pairs.toLocalIterator(); each.hasNext(); ) {
                    Tuple2<Long, float[]> row = each.next();
                    long id = row._1();
                    float[] values = of(row);
                    if (id < 0 || id >= count || seen.get((int) id) || values.length != length) {
                        throw new InvalidInputException(table + ": expected each id from 0 to " + (count - 1)
                                + " once, with " + length + " numbers; found id " + id + " with " + values.length
                                + (id >= 0 && id < count && seen.get((int) id) ? " again" : ""));
                    }
                    seen.set((int) id);
                    out.write(id * length, FloatBuffer.wrap(values));
                }
                out.commit();
                System.err.println("cellfuse: wrote " + output + ", shape " + Arrays.toString(all));
            }
        }

        private float[] of(Tuple2<Long, float[]> row) {
            if (row._2() == null) {
                throw new InvalidInputException(
                        table + ": column " + column + " is null in the row with id " + row._1());
            }
            return row._2();
        }
    }

    private static Encoder<Tuple2<Long, float[]>> pairs(SparkSession session) {
        return Encoders.tuple(Encoders.LONG(), session.implicits().newFloatArrayEncoder());
    }

    /** Where rows come from: a function of the row's number, so that a task that is run again makes the same rows. */
    private interface RowSource extends MapPartitionsFunction<Long, Tuple2<Long, float[]>> {}

    private record RandomRows(int length, long seed) implements RowSource {
        private static final int FLOAT_BITS = 24;

        @Override
        public Iterator<Tuple2<Long, float[]>> call(Iterator<Long> ids) {
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return ids.hasNext();
                }

                @Override
                public Tuple2<Long, float[]> next() {
                    long id = ids.next();
                    SplittableRandom random = new SplittableRandom(mixed(id));
                    float[] row = new float[length];
                    for (int k = 0; k < length; k++) {
                        row[k] = (random.nextInt() >> (Integer.SIZE - FLOAT_BITS)) * 0x1p-23f;
                    }
                    return new Tuple2<>(id, row);
                }
            };
        }

        /**
         * Seeds that differ by little would give rows that are one another's, moved by a number: SplittableRandom
         * counts.
         */
        private long mixed(long id) {
            long bits = (id + 1) * 0xD1B54A32D192ED03L ^ seed;
            bits = (bits ^ bits >>> 32) * 0xDABA0B6EB09322E3L;
            return bits ^ bits >>> 29;
        }
    }

    private record FileRows(String path, int length) implements RowSource {
        @Override
        public Iterator<Tuple2<Long, float[]>> call(Iterator<Long> ids) {
            NpyArray array = NpyArray.open(Path.of(path));
            TaskContext.get().addTaskCompletionListener((TaskCompletionListener) context -> array.close());
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return ids.hasNext();
                }

                @Override
                public Tuple2<Long, float[]> next() {
                    long id = ids.next();
                    float[] row = new float[length];
                    array.read(id * length, FloatBuffer.wrap(row));
                    return new Tuple2<>(id, row);
                }
            };
        }
    }
}
