package io.github.cellfuse.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole ONNX graph on a table: tokens of a sentence in, scores of each token out. */
class GraphTest {
    private static final Path TAGGER = Path.of("../src/test/resources/onnx/tagger.onnx");
    private static final Path STATES = Path.of("../src/test/resources/onnx/lstm_states.onnx");
    private static final int ROWS = 40;

    private final SparkSession spark = TestSpark.session();
    private final List<long[]> sentences = new ArrayList<>();

    GraphTest() {
        Random random = new Random(3);
        for (int row = 0; row < ROWS; row++) {
            // Runs of sentences of one length, and lonely ones.
            sentences.add(random.longs(1 + row / 7 % 3 + row % 11 / 10, 0, 10).toArray());
        }
    }

    private static LstmTransformer tagger() {
        return new LstmTransformer()
                .setModelPath(TAGGER.toString())
                .setDevice("java")
                .setInputCols("tokens=words")
                .setOutputCols("scores=tags");
    }

    private Dataset<Row> table() {
        return table(IntStream.range(0, ROWS)
                .mapToObj(row -> RowFactory.create(row, sentences.get(row)))
                .toList());
    }

    private Dataset<Row> table(List<Row> rows) {
        StructType schema = new StructType()
                .add("id", DataTypes.IntegerType)
                .add("words", DataTypes.createArrayType(DataTypes.LongType));
        return spark.createDataFrame(rows, schema);
    }

    private void assertScores(Dataset<Row> scored) {
        List<Row> rows = scored.collectAsList();
        assertEquals(ROWS, rows.size());
        try (OnnxSession session = OnnxModel.open(TAGGER).session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int k = 0; k < ROWS; k++) {
                long[] sentence = sentences.get(k);
                FloatBuffer expected = session.run(Map.of("tokens", Tensor.of(sentence, 1, sentence.length)))
                        .get("scores")
                        .floats();
                assertEquals(k, rows.get(k).getInt(0));
                List<Float> found = rows.get(k).getList(2);
                float[] alone = new float[expected.limit()];
                expected.get(alone);
                float[] values = new float[found.size()];
                IntStream.range(0, values.length).forEach(i -> values[i] = found.get(i));
                assertArrayEquals(alone, values, 1e-6f, "row " + k);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void tagsTheWordsOfATable(int batchRows) {
        assertScores(tagger().setBatchRows(batchRows)
                .transform(table().repartition(2).sort("id")));
    }

    @Test
    void savesTheGraph(@TempDir Path folder) throws Exception {
        tagger().write().save(folder.resolve("tagger").toString());
        assertScores(LstmTransformer.load(folder.resolve("tagger").toString()).transform(table()));
    }

    @Test
    void keepsBadRows() {
        List<Row> rows = List.of(
                RowFactory.create(0, new long[] {1, 2}),
                RowFactory.create(1, null),
                RowFactory.create(2, new long[0]),
                RowFactory.create(3, new Long[] {1L, null}));
        List<Row> kept = tagger().setHandleInvalid("keep")
                .setErrorCol("why")
                .transform(table(rows).coalesce(1))
                .collectAsList();
        assertNotNull(kept.get(0).get(2));
        assertTrue(kept.get(1)
                .getString(3)
                .contains("'words' (input 'tokens'): expected int64 [batch, time], found null"));
        assertTrue(kept.get(2).getString(3).contains("expected a row of shape [?], found an empty one"));
        assertTrue(kept.get(3).getString(3).contains("found null among the values"));
    }

    @Test
    void refusesNumbersThatAnInputCannotHold() throws BadRow {
        Map<ElementType, long[]> ranges = Map.of(
                ElementType.INT8, new long[] {-128, 127},
                ElementType.UINT16, new long[] {0, 65_535},
                ElementType.INT32, new long[] {Integer.MIN_VALUE, Integer.MAX_VALUE},
                ElementType.UINT32, new long[] {0, 4_294_967_295L});
        for (Map.Entry<ElementType, long[]> entry : ranges.entrySet()) {
            long least = entry.getValue()[0], most = entry.getValue()[1];
            GraphScorer.checkRange(entry.getKey(), ColumnValues.longs(new long[] {least, most}));
            for (long wrong : new long[] {least - 1, most + 1}) {
                String message = assertThrows(
                                BadRow.class,
                                () -> GraphScorer.checkRange(
                                        entry.getKey(), ColumnValues.longs(new long[] {least, wrong})))
                        .getMessage();
                assertEquals("expected " + least + " to " + most + ", found " + wrong, message);
            }
        }
        GraphScorer.checkRange(ElementType.INT64, ColumnValues.longs(new long[] {Long.MIN_VALUE}));
        GraphScorer.checkRange(ElementType.UINT64, ColumnValues.longs(new long[] {Long.MAX_VALUE}));
        assertThrows(
                BadRow.class, () -> GraphScorer.checkRange(ElementType.UINT64, ColumnValues.longs(new long[] {-1})));
    }

    @Test
    void namesWhatIsWrong() {
        assertRefused("input 'tokens', int64 [batch, time]): expected tinyint", tagger(), "array<float>");
        assertRefused(
                "expected one of [tokens], found 'x'", tagger().setInputCols("x=words", "tokens=words"), "array<int>");
        assertRefused("output: expected one of scores, found 'x'", tagger().setOutputCols("x=y"), "array<int>");
        assertRefused(
                "expected each name once, as name=column, found 'tokens'",
                tagger().setInputCols("tokens"),
                "array<int>");
        assertRefused("expected inputCols and outputCols alone", tagger().setInputCol("words"), "array<int>");
    }

    private static void assertRefused(String message, LstmTransformer transformer, String type) {
        StructType schema = StructType.fromDDL("id int, words " + type);
        String found = assertThrows(InvalidInputException.class, () -> transformer.transformSchema(schema))
                .getMessage();
        assertTrue(found.contains(message), found);
    }

    /** Its rows are the second axis of every input and output. */
    @Test
    void holdsRowsAlongAnotherAxis() {
        Random random = new Random(4);
        List<float[]> x = new ArrayList<>(), h = new ArrayList<>(), c = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        for (int row = 0; row < 9; row++) {
            float[] values = TestSpark.values(random, 2 * 3);
            x.add(values);
            h.add(TestSpark.values(random, 5));
            c.add(TestSpark.values(random, 5));
            rows.add(RowFactory.create(
                    new Object[] {Arrays.copyOf(values, 3), Arrays.copyOfRange(values, 3, 6)}, h.get(row), c.get(row)));
        }
        Dataset<Row> table = spark.createDataFrame(
                rows, StructType.fromDDL("x array<array<float>>, h array<float>, c array<float>"));
        List<Row> scored = new LstmTransformer()
                .setModelPath(STATES.toString())
                .setDevice("java")
                .setInputCols("x=x", "h0=h", "c0=c")
                .setOutputCols("y=y")
                .transform(table.coalesce(1))
                .collectAsList();
        try (OnnxSession session = OnnxModel.open(STATES).session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int row = 0; row < x.size(); row++) {
                FloatBuffer y = session.run(Map.of(
                                "x", Tensor.of(x.get(row), 2, 1, 3),
                                "h0", Tensor.of(h.get(row), 1, 1, 5),
                                "c0", Tensor.of(c.get(row), 1, 1, 5)))
                        .get("y")
                        .floats();
                List<Float> found = scored.get(row).getList(3);
                assertEquals(y.limit(), found.size());
                for (int k = 0; k < found.size(); k++) {
                    assertEquals(y.get(k), found.get(k), "row " + row);
                }
            }
        }
    }
}
