package io.github.cellfuse.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.format.ModelFiles;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageCompleted;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import scala.jdk.javaapi.CollectionConverters;

/** Tables through a transformer give the bits of the engine alone. */
class LstmTransformerTest {
    private static final int ROWS = 61, INPUTS = 3, UNITS = 5;
    private static final DataType FLOATS = DataTypes.createArrayType(DataTypes.FloatType, false);
    private static final DataType NULLABLE_FLOATS = DataTypes.createArrayType(DataTypes.FloatType, true);

    @TempDir
    private static Path folder;

    private static SparkSession spark;
    private static LstmModel model;
    private static Path file;
    private static List<float[]> sequences;

    @BeforeAll
    static void writeModel() {
        spark = TestSpark.session();
        Random random = new Random(5);
        model = TestSpark.model(random, Direction.BIDIRECTIONAL, 2, INPUTS, UNITS);
        file = folder.resolve("model.safetensors");
        ModelFiles.write(model, file, true);
        sequences = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            sequences.add(TestSpark.values(random, INPUTS * (1 + random.nextInt(6))));
        }
    }

    private static LstmTransformer transformer() {
        return new LstmTransformer()
                .setModelPath(file.toString())
                .setInputCol("x")
                .setOutputCol("result")
                .setDevice("java");
    }

    private static int steps(int row) {
        return sequences.get(row).length / INPUTS;
    }

    /** Returns a table of the sequences. */
    private static Dataset<Row> table(String kind) {
        List<Row> rows = IntStream.range(0, ROWS)
                .mapToObj(row -> RowFactory.create((long) row, value(kind, sequences.get(row)), "row " + row))
                .toList();
        return table(rows, type(kind));
    }

    private static Dataset<Row> table(List<Row> rows, DataType type) {
        StructType schema = new StructType()
                .add("id", DataTypes.LongType, false)
                .add("x", type)
                .add("name", DataTypes.StringType);
        return spark.createDataFrame(rows, schema).repartition(3, functions.col("id"));
    }

    private static DataType type(String kind) {
        return switch (kind) {
            case "flat" -> FLOATS;
            case "nullable" -> NULLABLE_FLOATS;
            case "double" -> DataTypes.createArrayType(DataTypes.DoubleType);
            case "vector" -> SQLDataTypes.VectorType();
            case "nested" -> DataTypes.createArrayType(NULLABLE_FLOATS);
            case "nested double" -> DataTypes.createArrayType(DataTypes.createArrayType(DataTypes.DoubleType));
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private static Object value(String kind, float[] x) {
        double[] doubles = IntStream.range(0, x.length).mapToDouble(k -> x[k]).toArray();
        return switch (kind) {
            case "double" -> doubles;
            case "vector" -> Vectors.dense(doubles);
            case "nested" -> nested(x);
            case "nested double" ->
                IntStream.range(0, x.length / INPUTS)
                        .mapToObj(t -> Arrays.copyOfRange(doubles, t * INPUTS, (t + 1) * INPUTS))
                        .toArray();
            default -> x;
        };
    }

    private static Object[] nested(float[] x) {
        return IntStream.range(0, x.length / INPUTS)
                .mapToObj(t -> Arrays.copyOfRange(x, t * INPUTS, (t + 1) * INPUTS))
                .toArray();
    }

    private static float[] floats(Object column) {
        List<Float> all = new ArrayList<>();
        CollectionConverters.asJava((scala.collection.Seq<?>) column).forEach(value -> {
            if (value instanceof Float number) {
                all.add(number);
            } else {
                for (float number : floats(value)) {
                    all.add(number);
                }
            }
        });
        return unboxed(all);
    }

    private static float[] unboxed(List<Float> all) {
        float[] floats = new float[all.size()];
        IntStream.range(0, floats.length).forEach(k -> floats[k] = all.get(k));
        return floats;
    }

    /** Returns what the engine alone computes for a row. */
    private static float[] expected(String output, float[] x, int length, LstmState state) {
        LstmOutput result = TestSpark.run(model, x, length, state);
        float[] h = result.finalState().h();
        return switch (output) {
            case "last" -> {
                float[] last = new float[2 * UNITS];
                if (length > 0) {
                    result.y().get((length - 1) * last.length, last);
                }
                yield last;
            }
            case "y" -> {
                FloatBuffer y = result.y();
                float[] all = new float[y.limit()];
                y.get(0, all);
                yield all;
            }
            case "h_n" -> h;
            default -> result.finalState().c();
        };
    }

    private static void assertBits(float[] expected, float[] found, String message) {
        assertArrayEquals(bits(expected), bits(found), message);
    }

    private static int[] bits(float[] values) {
        return IntStream.range(0, values.length)
                .map(k -> Float.floatToRawIntBits(values[k]))
                .toArray();
    }

    private static void assertResults(String output, Dataset<Row> table, Dataset<Row> scored) {
        List<Row> before = table.collectAsList(), after = scored.collectAsList();
        assertEquals(ROWS, after.size());
        for (int k = 0; k < ROWS; k++) {
            Row row = after.get(k);
            int id = (int) row.getLong(0);
            // The order of the partitions and in them, and the columns that aren't new.
            assertEquals(before.get(k).get(0), row.get(0));
            assertEquals(before.get(k).get(1), row.get(1));
            assertEquals("row " + id, row.getString(2));
            float[] x = sequences.get(id);
            assertBits(expected(output, x, steps(id), null), floats(row.getAs("result")), output + " of row " + id);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "flat, last, 0",
        "flat, y, 0",
        "flat, h_n, 7",
        "flat, c_n, 1",
        "nullable, last, 7",
        "nullable, y, 5",
        "double, last, 0",
        "vector, c_n, 0",
        "nested, y, 4",
        "nested, last, 0",
        "nested double, h_n, 0"
    })
    void hasTheBitsOfTheEngine(String kind, String output, int batchRows) {
        Dataset<Row> table = table(kind);
        LstmTransformer transformer = transformer().setOutput(output).setBatchRows(batchRows);
        Dataset<Row> scored = transformer.transform(table);
        assertResults(output, table, scored);
        StructType said = transformer.transformSchema(table.schema());
        assertArrayEquals(said.fieldNames(), scored.schema().fieldNames());
        for (int k = 0; k < said.size(); k++) {
            assertEquals(said.apply(k).dataType(), scored.schema().apply(k).dataType());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"skip", "keep"})
    void keepsEveryGoodRowInEveryMode(String mode) {
        for (String kind : List.of("flat", "nullable", "nested")) {
            assertResults(
                    "last", table(kind), transformer().setHandleInvalid(mode).transform(table(kind)));
        }
    }

    @Test
    void hasTheBitsOfJavaOnOpenCl() {
        assertTrue(
                Device.all().stream().anyMatch(info -> info.device() instanceof Device.OpenCl),
                "expected an OpenCL device, such as PoCL: bin/setup installs it");
        for (String output : List.of("last", "y")) {
            assertResults(
                    output,
                    table("flat"),
                    transformer().setDevice("opencl").setOutput(output).transform(table("flat")));
        }
    }

    @Test
    void roundsTheWeights() {
        LstmModel rounded = WeightPrecision.BF16.round(model);
        Dataset<Row> scored = transformer().setWeights("bf16").setOutput("h_n").transform(table("flat"));
        for (Row row : scored.collectAsList()) {
            float[] x = sequences.get((int) row.getLong(0));
            float[] h = TestSpark.run(rounded, x, x.length / INPUTS, null)
                    .finalState()
                    .h();
            assertBits(h, floats(row.getAs("result")), "bf16");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flat", "nested"})
    void takesLengthsAndStates(String kind) {
        Random random = new Random(8);
        List<Row> rows = new ArrayList<>();
        Map<Long, LstmState> states = new TreeMap<>();
        Map<Long, Integer> lengths = new TreeMap<>();
        for (long id = 0; id < ROWS; id++) {
            LstmState state =
                    new LstmState(1, TestSpark.values(random, 4 * UNITS), TestSpark.values(random, 4 * UNITS));
            float[] x = sequences.get((int) id);
            int length = random.nextInt(x.length / INPUTS + 1);
            states.put(id, state);
            lengths.put(id, length);
            rows.add(RowFactory.create(id, value(kind, x), length, state.h(), value("double", state.c())));
        }
        StructType schema = new StructType()
                .add("id", DataTypes.LongType)
                .add("x", type(kind))
                .add("n", DataTypes.IntegerType)
                .add("h", FLOATS)
                .add("c", DataTypes.createArrayType(DataTypes.DoubleType));
        Dataset<Row> table = spark.createDataFrame(rows, schema).repartition(2);
        for (String output : List.of("last", "y", "h_n", "c_n")) {
            Dataset<Row> scored = transformer()
                    .setOutput(output)
                    .setLengthCol("n")
                    .setInitialHCol("h")
                    .setInitialCCol("c")
                    .setBatchRows(9)
                    .transform(table);
            for (Row row : scored.collectAsList()) {
                long id = row.getLong(0);
                assertBits(
                        expected(output, sequences.get((int) id), lengths.get(id), states.get(id)),
                        floats(row.getAs("result")),
                        output + " of row " + id);
            }
        }
    }

    /** A table with one good row first and last, and each bad one between them. */
    private static Dataset<Row> badRows(boolean isNested) {
        float[] good = {1, 2, 3, 4, 5, 6};
        List<Object> values = new ArrayList<>();
        values.add(isNested ? nested(good) : good);
        values.add(null);
        values.add(isNested ? new Object[0] : new float[0]);
        if (isNested) {
            values.add(new Object[] {new float[] {1, 2, 3}, new float[] {1, 2}});
            values.add(new Object[] {new float[] {1, 2}});
            values.add(new Object[] {new Float[] {1f, 2f, null}});
            values.add(new Object[] {null});
            values.add(new Object[] {new float[0]});
        } else {
            values.add(new float[] {1, 2, 3, 4});
            values.add(new Float[] {1f, null, 3f});
        }
        float[] nan = {Float.NaN, 2, 3};
        values.add(isNested ? nested(nan) : nan);
        List<Row> rows = IntStream.range(0, values.size())
                .mapToObj(row -> RowFactory.create((long) row, values.get(row), "row " + row))
                .toList();
        return table(rows, type(isNested ? "nested" : "nullable")).coalesce(1).sort("id");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void skipsBadRows(boolean isNested) {
        Dataset<Row> table = badRows(isNested);
        List<Row> rows = transformer().setHandleInvalid("skip").transform(table).collectAsList();
        assertEquals(
                List.of(0L, table.count() - 1),
                rows.stream().map(row -> row.getLong(0)).toList());
        assertTrue(Float.isNaN(floats(rows.get(1).getAs("result"))[0]), "NaN is computed with");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsBadRowsWithTheReason(boolean isNested) {
        List<Row> rows = transformer()
                .setHandleInvalid("keep")
                .setErrorCol("why")
                .transform(badRows(isNested))
                .collectAsList();
        List<String> reasons =
                rows.stream().map(row -> row.<String>getAs("why")).toList();
        assertEquals(
                isNested
                        ? Arrays.asList(
                                null,
                                "column 'x': expected a sequence, found null",
                                "column 'x': expected at least one step, found none",
                                "column 'x': expected arrays of one length, as the first one has 3 values, found one"
                                        + " of 2",
                                "column 'x': expected steps of 3 features, found steps of 2",
                                "column 'x': found null among the values, after 2 of them",
                                "column 'x': found null among the values, after 0 of them",
                                "column 'x': expected steps of 3 features, found steps of 0",
                                null)
                        : Arrays.asList(
                                null,
                                "column 'x': expected a sequence, found null",
                                "column 'x': expected at least one step, found none",
                                "column 'x': expected a multiple of 3 values, the features of a step, found 4",
                                "column 'x': found null among the values, after 1 of them",
                                null),
                reasons);
        for (Row row : rows) {
            assertEquals(row.getAs("why") == null, row.getAs("result") != null, row.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void endsTheJobAtEachBadRow(boolean isNested) {
        Dataset<Row> table = badRows(isNested);
        for (long id = 1; id < table.count() - 1; id++) {
            Dataset<Row> one =
                    transformer().transform(table.filter("id = 0 or id = " + id).coalesce(1));
            String message = messages(assertThrows(Exception.class, one::collectAsList));
            assertTrue(message.contains("row 2 of partition 0: column 'x': "), message);
            assertTrue(message.contains("handleInvalid"), message);
        }
    }

    private static String messages(Throwable e) {
        StringBuilder all = new StringBuilder();
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            all.append(cause.getMessage()).append('\n');
        }
        return all.toString();
    }

    @Test
    void refusesWrongLengthsAndStates() {
        StructType schema = new StructType()
                .add("x", FLOATS)
                .add("n", DataTypes.LongType)
                .add("h", FLOATS)
                .add("c", SQLDataTypes.VectorType());
        float[] x = {1, 2, 3};
        float[] h = new float[4 * UNITS];
        Object c = Vectors.zeros(4 * UNITS);
        List<Row> rows = List.of(
                RowFactory.create(x, 1L, h, c),
                RowFactory.create(x, null, h, c),
                RowFactory.create(x, -1L, h, c),
                RowFactory.create(x, 2L, h, c),
                RowFactory.create(x, 1L, new float[3], c),
                RowFactory.create(x, 1L, null, c),
                RowFactory.create(x, 1L, h, Vectors.zeros(1)),
                RowFactory.create(x, 1L, h, null));
        List<String> reasons = transformer()
                .setLengthCol("n")
                .setInitialHCol("h")
                .setInitialCCol("c")
                .setHandleInvalid("keep")
                .setErrorCol("why")
                .transform(spark.createDataFrame(rows, schema).coalesce(1))
                .collectAsList()
                .stream()
                .map(row -> row.<String>getAs("why"))
                .toList();
        assertEquals(
                Arrays.asList(
                        null,
                        "column 'n': expected a length, found null",
                        "column 'n': expected 0 to 1 steps, found -1",
                        "column 'n': expected 0 to 1 steps, found 2",
                        "column 'h': expected a state [L*D*P] of 20 values, found 3",
                        "column 'h': expected a state, found null",
                        "column 'c': expected a state [L*D*H] of 20 values, found 1",
                        "column 'c': expected a state, found null"),
                reasons);
    }

    @Test
    void namesWhatIsWrongWithColumnsAndParameters() {
        StructType schema = table("flat").schema();
        assertRefused(
                "column 'z' (inputCol): expected one of id, x, name, found no",
                transformer().setInputCol("z"));
        assertRefused(
                "column 'name' (inputCol): expected array<float>, array<double>, array<array<float>>,"
                        + " array<array<double>> or a vector, found string",
                transformer().setInputCol("name"));
        assertRefused("column 'x' (lengthCol): expected tinyint", transformer().setLengthCol("x"));
        assertRefused(
                "column 'id' (initialHCol): expected array<float>",
                transformer().setInitialHCol("id"));
        assertRefused("column 'x': expected a new name", transformer().setOutputCol("x"));
        assertRefused("column 'result': expected a new name", transformer().setErrorCol("result"));
        assertRefused(
                "output: expected last, y, h_n or c_n, found 'z'", transformer().setOutput("z"));
        assertRefused("handleInvalid: expected error", transformer().setHandleInvalid("drop"));
        assertRefused("device: expected java", transformer().setDevice("cuda"));
        assertRefused("weights: expected f32, f16 or bf16", transformer().setWeights("int8"));
        assertRefused("batchRows: expected 0", transformer().setBatchRows(-1));
        assertRefused("modelPath: expected", new LstmTransformer().setInputCol("x"));
        assertRefused("inputCol: expected", new LstmTransformer().setModelPath("m"));
        assertRefused(
                "found only inputCols", new LstmTransformer().setModelPath("m").setInputCols("x=x"));
        assertTrue(assertThrows(
                        InvalidInputException.class,
                        () -> transformer()
                                .setModelPath(folder.resolve("none.safetensors").toString())
                                .transform(table("flat")))
                .getMessage()
                .contains("none.safetensors"));
        assertNotNull(transformer().transformSchema(schema));
    }

    private static void assertRefused(String message, LstmTransformer transformer) {
        String found = assertThrows(
                        InvalidInputException.class,
                        () -> transformer.transformSchema(table("flat").schema()))
                .getMessage();
        assertTrue(found.contains(message), found);
    }

    @Test
    void savesAPipelineWithItsModel() throws Exception {
        Path copied = folder.resolve("elsewhere.safetensors");
        Files.copy(file, copied);
        LstmTransformer transformer =
                transformer().setModelPath(copied.toString()).setOutput("h_n");
        PipelineModel pipeline =
                new Pipeline().setStages(new PipelineStage[] {transformer}).fit(table("flat"));
        Path saved = folder.resolve("pipeline");
        pipeline.write().overwrite().save(saved.toString());
        pipeline.write().overwrite().save(saved.toString());
        Path moved = folder.resolve("moved");
        Files.move(saved, moved);
        Files.delete(copied);
        PipelineModel loaded = PipelineModel.load(moved.toString());
        LstmTransformer stage = (LstmTransformer) loaded.stages()[0];
        assertEquals(transformer.uid(), stage.uid());
        assertEquals("h_n", stage.getOutput());
        assertTrue(stage.getModelPath().contains("moved"), stage.getModelPath());
        assertResults("h_n", table("flat"), loaded.transform(table("flat")));

        Path alone = folder.resolve("alone");
        stage.write().save(alone.toString());
        assertResults(
                "h_n", table("flat"), LstmTransformer.load(alone.toString()).transform(table("flat")));
        assertThrows(IOException.class, () -> stage.write().save(alone.toString()));
    }

    @Test
    void copiesItsParameters() {
        LstmTransformer one = transformer().setBatchRows(7).setOutput("y");
        LstmTransformer two = one.copy(ParamMap.empty().put(one.output(), "c_n"));
        assertEquals(one.uid(), two.uid());
        assertEquals("c_n", two.getOutput());
        assertEquals(7, two.getBatchRows());
        assertEquals("y", one.getOutput());
        assertResults("c_n", table("flat"), two.transform(table("flat")));
        assertEquals(one.uid() + "__output", new LstmTransformer(one.uid()).getOutputCol());
    }

    @Test
    void readsTheModelFromAUri() {
        assertResults(
                "last",
                table("flat"),
                transformer().setModelPath(file.toUri().toString()).transform(table("flat")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"flat", "nested"})
    void keepsOtherColumnsWithTheirMetadata(String kind) {
        Metadata metadata = Metadata.fromJson("{\"unit\":\"m\"}");
        Dataset<Row> table = table(kind)
                .withColumn("a.b `c", functions.lit(7).as("a.b `c", metadata))
                .withColumn("v", functions.array(functions.lit(1.5f)));
        StructType before = table.schema();
        Dataset<Row> scored = transformer().transform(table);
        for (StructField field : before.fields()) {
            StructField after = scored.schema().apply(field.name());
            assertEquals(field.dataType(), after.dataType());
            assertEquals(field.metadata(), after.metadata(), field.name());
        }
        assertEquals(7, scored.first().getInt(3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"flat", "nested"})
    void followsAnotherTransformer(String kind) {
        Dataset<Row> first = transformer().setOutput("h_n").transform(table(kind));
        Dataset<Row> second = transformer()
                .setInputCol("x")
                .setInitialHCol("result")
                .setOutputCol("again")
                .transform(first);
        for (Row row : second.collectAsList()) {
            int id = (int) row.getLong(0);
            LstmState state = new LstmState(1, expected("h_n", sequences.get(id), steps(id), null), new float[20]);
            assertBits(expected("last", sequences.get(id), steps(id), state), floats(row.getAs("again")), "row " + id);
        }
    }

    @Test
    void computesATableOfOneColumnAndAnEmptyOne() {
        Dataset<Row> one = table("flat").select("x");
        List<Row> rows = transformer().transform(one).collectAsList();
        assertEquals(ROWS, rows.size());
        assertEquals(2, rows.get(0).size());
        assertEquals(0, transformer().transform(one.limit(0)).count());
    }

    @Test
    void countsWhatItDid() throws Exception {
        Map<String, Object> counted = new ConcurrentHashMap<>();
        SparkListener listener = new SparkListener() {
            @Override
            public void onStageCompleted(SparkListenerStageCompleted stage) {
                CollectionConverters.asJava(stage.stageInfo().accumulables())
                        .values()
                        .forEach(info -> {
                            if (info.name().isDefined() && info.value().isDefined()) {
                                counted.put(info.name().get(), info.value().get());
                            }
                        });
            }
        };
        spark.sparkContext().addSparkListener(listener);
        try {
            transformer()
                    .setHandleInvalid("skip")
                    .setBatchRows(1)
                    .transform(badRows(true))
                    .collectAsList();
            for (int k = 0; k < 100 && !counted.containsKey("cellfuse rows"); k++) {
                Thread.sleep(50); // the listener has a thread of its own
            }
        } finally {
            spark.sparkContext().removeSparkListener(listener);
        }
        assertEquals(2L, counted.get("cellfuse rows"));
        assertEquals(2L, counted.get("cellfuse batches"));
        assertEquals(7L, counted.get("cellfuse invalid rows"));
        assertTrue((Double) counted.get("cellfuse device seconds") > 0);
    }

    /** Where y isn't needed, the last hidden state is read from the final states. */
    @Test
    void readsTheLastStepOfAForwardModelFromItsStates() {
        LstmModel forward = TestSpark.model(new Random(6), Direction.FORWARD, 2, INPUTS, UNITS);
        Path path = folder.resolve("forward.safetensors");
        ModelFiles.write(forward, path, true);
        Dataset<Row> scored = transformer()
                .setModelPath(path.toString())
                .setLengthCol("n")
                .transform(table("flat").withColumn("n", functions.expr("int(id % (size(x) div 3 + 1))")));
        for (Row row : scored.collectAsList()) {
            int length = row.getAs("n");
            float[] last = new float[UNITS];
            if (length > 0) {
                TestSpark.run(forward, sequences.get((int) row.getLong(0)), length, null)
                        .y()
                        .get((length - 1) * UNITS, last);
            }
            assertBits(last, floats(row.getAs("result")), row.toString());
        }
    }

    @Test
    void isAFunctionOnPartitions() {
        Encoder<float[]> floats = spark.implicits().newFloatArrayEncoder();
        Dataset<float[]> all = spark.createDataset(sequences, floats).repartition(2);
        List<float[]> inputs = all.collectAsList();
        for (String output : List.of("last", "y")) {
            LstmFunction function = LstmFunction.of(spark, file.toString())
                    .withDevice("java")
                    .withBatchRows(10)
                    .withOutput(output);
            List<float[]> results = all.mapPartitions(function, floats).collectAsList();
            for (int k = 0; k < ROWS; k++) {
                float[] x = inputs.get(k);
                assertBits(expected(output, x, x.length / INPUTS, null), results.get(k), output);
            }
        }
        assertThrows(
                InvalidInputException.class,
                () -> LstmFunction.of(spark, file.toString()).withBatchRows(-1));
    }

    /** Results are read as they are needed: the first row of many doesn't compute them all. */
    @Test
    void readsAPartitionAsItIsNeeded() {
        Dataset<Row> many = spark.range(0, 1_000_000_000_000L, 1, 1)
                .select(functions
                        .array(functions.lit(1f), functions.lit(2f), functions.lit(3f))
                        .as("x"));
        assertNotNull(transformer().setBatchRows(100).transform(many).first().getAs("result"));
        assertEquals(0, EnginePool.SHARED.users(), "the task ended before its last row");
    }

    @Test
    void releasesItsEngineWhenAJobIsKilledOrFails() throws Exception {
        Dataset<Row> scored = transformer()
                .setBatchRows(100)
                .transform(spark.range(0, 1_000_000_000_000L, 1, 2)
                        .select(functions
                                .array(functions.lit(1f), functions.lit(2f), functions.lit(3f))
                                .as("x")));
        CompletableFuture<Void> job = CompletableFuture.runAsync(() -> {
            spark.sparkContext().setJobGroup("endless", "an endless job", false);
            scored.write().format("noop").mode("overwrite").save();
        });
        await(() -> EnginePool.SHARED.users() == 2);
        assertEquals(1, EnginePool.SHARED.inUse(), "two tasks share an engine");
        spark.sparkContext().cancelJobGroup("endless");
        assertThrows(ExecutionException.class, () -> job.get(60, TimeUnit.SECONDS));
        await(() -> EnginePool.SHARED.users() == 0);

        Dataset<Row> failing = transformer().transform(badRows(true));
        assertThrows(Exception.class, failing::collectAsList);
        assertEquals(0, EnginePool.SHARED.users());
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        for (int k = 0; k < 600 && !condition.getAsBoolean(); k++) {
            Thread.sleep(100);
        }
        assertTrue(condition.getAsBoolean(), "it took more than a minute");
    }

    @Test
    void keepsNullOfARowWithoutAnErrorColumn() {
        List<Row> rows =
                transformer().setHandleInvalid("keep").transform(badRows(false)).collectAsList();
        assertNull(rows.get(1).getAs("result"));
    }
}
