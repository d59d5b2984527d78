package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.OnnxModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;
import scala.Tuple4;

/**
 * A stage of Spark ML that runs an LSTM, or a whole ONNX graph, on the rows of a table.
 *
 * <pre>{@code
 * Dataset<Row> scored = new LstmTransformer()
 *         .setModelPath("model.safetensors")
 *         .setInputCol("x")
 *         .setOutputCol("h")
 *         .transform(table);
 * }</pre>
 *
 * <p>The input column holds a sequence a row: {@code array<float>} or {@code array<double>} with the values
 * {@code [T·I]}, a vector with the same, or {@code array<array<float>>} or {@code array<array<double>>} as
 * {@code [T][I]}. Doubles are rounded to the nearest float. Rows may differ in {@code T}. NaN and infinities are
 * computed with. The result has all columns of the table in their order, then the new ones.
 *
 * <p>The driver reads the model once and sends it to each executor once. The tasks of an executor share an engine for
 * each model and device. Rows are computed in batches, in the order of their partition; every exact device, every size
 * of batch and every partitioning give the same bits, so that a task can run again anywhere. A plan does nothing until
 * an action needs it.
 *
 * <p>Errors of parameters and columns are {@link InvalidInputException}s of {@link #transformSchema} and
 * {@link #transform}; they name the column, what was expected and what was found. Rows that can't be computed end the
 * job, or not, by {@link #handleInvalid()}.
 *
 * <p>A transformer may be used by one thread at a time; the datasets that it returned by many.
 */
public class LstmTransformer extends Transformer implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private final String uid;
    private final Param<String> modelPath;
    private final Param<String> inputCol;
    private final Param<String> outputCol;
    private final Param<String> output;
    private final Param<String> lengthCol;
    private final Param<String> initialHCol;
    private final Param<String> initialCCol;
    private final Param<String> device;
    private final Param<String> weights;
    private final IntParam batchRows;
    private final Param<String> handleInvalid;
    private final Param<String> errorCol;
    private final StringArrayParam inputCols;
    private final StringArrayParam outputCols;

    private transient Loaded loaded;

    /**
     * A model that was read and sent.
     *
     * @param key what it was read from
     * @param bytes its bytes on the executors; null if they weren't sent yet
     */
    private record Loaded(String key, ModelSource source, SparkContext context, Broadcast<byte[]> bytes) {}

    /** Creates a transformer with a new name. */
    public LstmTransformer() {
        this("lstm_" + UUID.randomUUID().toString().replace("-", "").substring(0, 12));
    }

    /** Creates a transformer with the name {@code uid}. */
    @SuppressWarnings("this-escape") // a Param needs the name of its owner only, which is set first
    public LstmTransformer(String uid) {
        this.uid = uid;
        modelPath = new Param<>(this, "modelPath", "the model's file: a local path, or a URI that Hadoop reads");
        inputCol = new Param<>(this, "inputCol", "the column of the sequences, [T*I] or [T][I]");
        outputCol = new Param<>(this, "outputCol", "the new column");
        output = new Param<>(this, "output", "what the new column holds: last, y, h_n or c_n");
        lengthCol = new Param<>(this, "lengthCol", "the column of the valid steps of each row, 0 to T");
        initialHCol =
                new Param<>(this, "initialHCol", "the column of the hidden states before the first step, [L*D*P]");
        initialCCol = new Param<>(this, "initialCCol", "the column of the cell states before the first step, [L*D*H]");
        device = new Param<>(this, "device", "auto, java, reference, opencl, opencl:P or opencl:P.D");
        weights = new Param<>(this, "weights", "the precision of the weights: f32, f16 or bf16");
        batchRows = new IntParam(this, "batchRows", "rows of a batch; 0 to choose them by their memory");
        handleInvalid =
                new Param<>(this, "handleInvalid", "what a row does that can't be computed: error, skip or keep");
        errorCol = new Param<>(this, "errorCol", "the new column that says why a row was kept without a result");
        inputCols = new StringArrayParam(this, "inputCols", "of an ONNX graph: its inputs, each as name=column");
        outputCols = new StringArrayParam(this, "outputCols", "of an ONNX graph: its outputs, each as name=new column");
        setDefault(outputCol, uid + "__output");
        setDefault(output, LstmResult.LAST.toString());
        setDefault(device, DeviceChoice.AUTO);
        setDefault(weights, WeightPrecision.F32.toString());
        setDefault(batchRows, 0);
        setDefault(handleInvalid, Invalid.ERROR.toString());
    }

    @Override
    public String uid() {
        return uid;
    }

    /**
     * The model's file: a local path, or a URI that Hadoop reads ({@code hdfs:}, {@code s3a:}, {@code file:}). The
     * driver reads it; executors don't need it. Its name ends in {@code .safetensors}, {@code .onnx}, {@code .keras} or
     * {@code .h5}.
     */
    public Param<String> modelPath() {
        return modelPath;
    }

    public String getModelPath() {
        return getOrDefault(modelPath);
    }

    public LstmTransformer setModelPath(String value) {
        set(modelPath, value);
        return this;
    }

    /** The column of the sequences. Not with {@link #inputCols()}. */
    public Param<String> inputCol() {
        return inputCol;
    }

    public String getInputCol() {
        return getOrDefault(inputCol);
    }

    public LstmTransformer setInputCol(String value) {
        set(inputCol, value);
        return this;
    }

    /** The new column; the name of this transformer and {@code __output}, unless it is set. */
    public Param<String> outputCol() {
        return outputCol;
    }

    public String getOutputCol() {
        return getOrDefault(outputCol);
    }

    public LstmTransformer setOutputCol(String value) {
        set(outputCol, value);
        return this;
    }

    /**
     * What the new column holds: {@code last}, y after the last valid step {@code [D·P]} (the default), which is zeros
     * if a row's length is 0; {@code y}, the hidden states of the top layer in all steps {@code [T][D·P]}; {@code h_n},
     * the last hidden states of all layers {@code [L·D·P]}; {@code c_n}, the last cell states {@code [L·D·H]}. A
     * reverse direction is last at a row's first step: {@code h_n} has its state there, {@code last} that at the last
     * step.
     */
    public Param<String> output() {
        return output;
    }

    public String getOutput() {
        return getOrDefault(output);
    }

    public LstmTransformer setOutput(String value) {
        set(output, value);
        return this;
    }

    /**
     * The column of the valid steps of each row, whole numbers from 0 to {@code T}. Past them, y is zero and the states
     * don't change. Optional: all steps are valid.
     */
    public Param<String> lengthCol() {
        return lengthCol;
    }

    public String getLengthCol() {
        return getOrDefault(lengthCol);
    }

    public LstmTransformer setLengthCol(String value) {
        set(lengthCol, value);
        return this;
    }

    /**
     * The column of the hidden states before the first step, {@code [L·D·P]} as {@code array<float>},
     * {@code array<double>} or a vector: what the output {@code h_n} of an earlier run is. Optional: zeros.
     */
    public Param<String> initialHCol() {
        return initialHCol;
    }

    public String getInitialHCol() {
        return getOrDefault(initialHCol);
    }

    public LstmTransformer setInitialHCol(String value) {
        set(initialHCol, value);
        return this;
    }

    /** The column of the cell states before the first step, {@code [L·D·H]}. Optional: zeros. */
    public Param<String> initialCCol() {
        return initialCCol;
    }

    public String getInitialCCol() {
        return getOrDefault(initialCCol);
    }

    public LstmTransformer setInitialCCol(String value) {
        set(initialCCol, value);
        return this;
    }

    /**
     * The device of each executor. {@code auto}, the default: the GPU that Spark scheduled for the task (its address i
     * is the i-th OpenCL GPU), or an error if it isn't there; without such a resource the best exact device, which may
     * be the processor. Another name means that device, or an error.
     */
    public Param<String> device() {
        return device;
    }

    public String getDevice() {
        return getOrDefault(device);
    }

    public LstmTransformer setDevice(String value) {
        set(device, value);
        return this;
    }

    /** The precision of the weights, {@code f32}, {@code f16} or {@code bf16}, as {@link WeightPrecision}. */
    public Param<String> weights() {
        return weights;
    }

    public String getWeights() {
        return getOrDefault(weights);
    }

    public LstmTransformer setWeights(String value) {
        set(weights, value);
        return this;
    }

    /** Rows of a batch; 0, the default, to choose them by the memory that they take. Never changes a result. */
    public IntParam batchRows() {
        return batchRows;
    }

    public int getBatchRows() {
        return (Integer) getOrDefault(batchRows);
    }

    public LstmTransformer setBatchRows(int value) {
        set(batchRows, value);
        return this;
    }

    /**
     * What a row does that can't be computed: {@code error}, the default, ends the job with an error that names it;
     * {@code skip} leaves it out; {@code keep} keeps it with null as its result. Such rows have a null, empty or ragged
     * sequence, a null in it, steps of another width, a length that isn't from 0 to {@code T}, or a state of another
     * size.
     */
    public Param<String> handleInvalid() {
        return handleInvalid;
    }

    public String getHandleInvalid() {
        return getOrDefault(handleInvalid);
    }

    public LstmTransformer setHandleInvalid(String value) {
        set(handleInvalid, value);
        return this;
    }

    /** The new column that says why a row was kept without a result, and is null for others. Optional. */
    public Param<String> errorCol() {
        return errorCol;
    }

    public String getErrorCol() {
        return getOrDefault(errorCol);
    }

    public LstmTransformer setErrorCol(String value) {
        set(errorCol, value);
        return this;
    }

    /**
     * For an ONNX graph: its inputs, each as {@code name=column}. A column holds the values of one row: nested arrays
     * of the input's dimensions without that of the rows, or a flat array if at most one of them is free. The graph's
     * rows must not depend on each other. ONNX Runtime must be on the executors' class path.
     */
    public StringArrayParam inputCols() {
        return inputCols;
    }

    public String[] getInputCols() {
        return getOrDefault(inputCols);
    }

    public LstmTransformer setInputCols(String... value) {
        set(inputCols, value);
        return this;
    }

    /**
     * For an ONNX graph: its outputs, each as {@code name=new column}. A column holds the row's values in C order:
     * {@code array<float>}, {@code array<double>} of a float64 output, {@code array<bigint>} of whole numbers and bool.
     */
    public StringArrayParam outputCols() {
        return outputCols;
    }

    public String[] getOutputCols() {
        return getOrDefault(outputCols);
    }

    public LstmTransformer setOutputCols(String... value) {
        set(outputCols, value);
        return this;
    }

    private boolean isGraph() {
        return isSet(inputCols) || isSet(outputCols);
    }

    /**
     * Returns the columns that {@link #transform} returns for these.
     *
     * @throws InvalidInputException if a parameter is missing or wrong, or a column is missing or has another type. The
     *     message names it, what was expected and what was found
     */
    @Override
    public StructType transformSchema(StructType schema) {
        checkParams();
        List<StructField> added = new ArrayList<>();
        if (isGraph()) {
            addGraphColumns(schema, added);
        } else {
            checkInputs(schema);
            DataType floats = DataTypes.createArrayType(DataTypes.FloatType, false);
            boolean isSequence = result() == LstmResult.Y;
            added.add(DataTypes.createStructField(
                    getOutputCol(), isSequence ? DataTypes.createArrayType(floats, false) : floats, true));
        }
        if (isSet(errorCol)) {
            added.add(DataTypes.createStructField(getErrorCol(), DataTypes.StringType, true));
        }
        StructType all = schema;
        for (StructField field : added) {
            if (Arrays.asList(all.fieldNames()).contains(field.name())) {
                throw new InvalidInputException(
                        "column '" + field.name() + "': expected a new name for a result, found a column of this name");
            }
            all = all.add(field);
        }
        return all;
    }

    private void checkParams() {
        if (!isSet(modelPath)) {
            throw new InvalidInputException("modelPath: expected the model's file, found none; call setModelPath");
        }
        result();
        invalid();
        precision();
        DeviceChoice.check(getDevice());
        if (getBatchRows() < 0) {
            throw new InvalidInputException("batchRows: expected 0 (automatic) or more, found " + getBatchRows());
        }
        if (!isGraph() && !isSet(inputCol)) {
            throw new InvalidInputException("inputCol: expected the column of the sequences, found none; call "
                    + "setInputCol, or setInputCols and setOutputCols for an ONNX graph");
        }
        if (isGraph()) {
            if (!isSet(inputCols) || !isSet(outputCols)) {
                throw new InvalidInputException("inputCols and outputCols: expected both for an ONNX graph, found only "
                        + (isSet(inputCols) ? "inputCols" : "outputCols"));
            }
            Stream.of(inputCol, outputCol, output, lengthCol, initialHCol, initialCCol)
                    .filter(this::isSet)
                    .findFirst()
                    .ifPresent(param -> {
                        throw new InvalidInputException(param.name()
                                + ": expected inputCols and outputCols alone for an ONNX graph, found both");
                    });
        }
    }

    private LstmResult result() {
        return LstmResult.parse(getOutput());
    }

    private Invalid invalid() {
        return Invalid.parse(getHandleInvalid());
    }

    private WeightPrecision precision() {
        String name = getWeights();
        return Arrays.stream(WeightPrecision.values())
                .filter(value -> value.toString().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("weights: expected f32, f16 or bf16, found '" + name + "'"));
    }

    private void checkInputs(StructType schema) {
        check(
                schema,
                inputCol,
                "array<float>, array<double>, array<array<float>>, array<array<double>> or a vector",
                type -> isFlat(type) || type instanceof ArrayType outer && isFloats(outer.elementType()));
        check(
                schema,
                lengthCol,
                "tinyint, smallint, int or bigint",
                type -> Stream.of(DataTypes.ByteType, DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType)
                        .anyMatch(type::equals));
        check(schema, initialHCol, "array<float>, array<double> or a vector", LstmTransformer::isFlat);
        check(schema, initialCCol, "array<float>, array<double> or a vector", LstmTransformer::isFlat);
    }

    private void check(StructType schema, Param<String> param, String expected, Predicate<DataType> fits) {
        if (isSet(param)) {
            StructField field = field(schema, getOrDefault(param), param.name());
            if (!fits.test(field.dataType())) {
                throw new InvalidInputException("column '" + field.name() + "' (" + param.name() + "): expected "
                        + expected + ", found " + field.dataType().catalogString());
            }
        }
    }

    private static StructField field(StructType schema, String name, String param) {
        List<StructField> found = Arrays.stream(schema.fields())
                .filter(field -> field.name().equals(name))
                .toList();
        if (found.size() != 1) {
            throw new InvalidInputException("column '" + name + "' (" + param + "): expected one of "
                    + String.join(", ", schema.fieldNames()) + ", found "
                    + (found.isEmpty() ? "no column of this name" : found.size() + " columns of this name"));
        }
        return found.get(0);
    }

    /** Returns whether a column of this type holds {@code [T·I]}. */
    private static boolean isFlat(DataType type) {
        return isFloats(type) || type.equals(SQLDataTypes.VectorType());
    }

    private static boolean isFloats(DataType type) {
        return type instanceof ArrayType array
                && (array.elementType().equals(DataTypes.FloatType)
                        || array.elementType().equals(DataTypes.DoubleType));
    }

    private void addGraphColumns(StructType schema, List<StructField> added) {
        OnnxModel graph = load(SparkSession.active()).graph();
        Map<String, String> inputs = named(inputCols), outputs = named(outputCols);
        GraphScorer.axes(graph);
        for (GraphValue input : graph.inputs()) {
            if (!inputs.containsKey(input.name())) {
                throw new InvalidInputException("inputCols: expected a column for input '" + input.name() + "', "
                        + input.describe() + ", found " + String.join(", ", getInputCols()));
            }
        }
        for (Map.Entry<String, String> entry : inputs.entrySet()) {
            GraphValue input = graph.inputs().stream()
                    .filter(value -> value.name().equals(entry.getKey()))
                    .findFirst()
                    .orElseThrow(() -> new InvalidInputException("inputCols: expected one of "
                            + graph.inputs().stream().map(GraphValue::name).toList() + ", found '" + entry.getKey()
                            + "'"));
            checkGraphInput(input, field(schema, entry.getValue(), inputCols.name()));
        }
        for (Map.Entry<String, String> entry : outputs.entrySet()) {
            ElementType type = graph.outputs().stream()
                    .filter(value -> value.name().equals(entry.getKey()))
                    .findFirst()
                    .flatMap(GraphValue::type)
                    .orElseThrow();
            DataType element = type == ElementType.FLOAT64
                    ? DataTypes.DoubleType
                    : type.isFloat() ? DataTypes.FloatType : DataTypes.LongType;
            added.add(DataTypes.createStructField(entry.getValue(), DataTypes.createArrayType(element, false), true));
        }
    }

    private static void checkGraphInput(GraphValue input, StructField field) {
        ElementType type = input.type().orElseThrow();
        DataType found = ColumnValues.innermost(field.dataType());
        boolean isVector = found.equals(SQLDataTypes.VectorType());
        boolean fits;
        String expected;
        if (type.isFloat()) {
            fits = isVector || found.equals(DataTypes.FloatType) || found.equals(DataTypes.DoubleType);
            expected = "float or double, or arrays of them, or a vector";
        } else if (type == ElementType.BOOL) {
            fits = found.equals(DataTypes.BooleanType);
            expected = "boolean, or arrays of it";
        } else {
            fits = Stream.of(DataTypes.ByteType, DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType)
                    .anyMatch(found::equals);
            expected = "tinyint, smallint, int or bigint, or arrays of them";
        }
        if (!fits) {
            throw new InvalidInputException("column '" + field.name() + "' (input '" + input.name() + "', "
                    + input.describe() + "): expected " + expected + ", found "
                    + field.dataType().catalogString());
        }
    }

    /** Returns the names and columns in the order of the parameter. */
    private Map<String, String> named(StringArrayParam param) {
        Map<String, String> named = new LinkedHashMap<>();
        for (String pair : getOrDefault(param)) {
            int at = pair.lastIndexOf('=');
            if (at < 1 || at == pair.length() - 1 || named.put(pair.substring(0, at), pair.substring(at + 1)) != null) {
                throw new InvalidInputException(
                        param.name() + ": expected each name once, as name=column, found '" + pair + "'");
            }
        }
        return named;
    }

    /**
     * Returns the table with the new columns. Nothing is computed until an action needs it.
     *
     * @throws InvalidInputException as {@link #transformSchema}, and if the model can't be read
     */
    @Override
    public Dataset<Row> transform(Dataset<?> dataset) {
        StructType schema = dataset.schema();
        StructType all = transformSchema(schema);
        SparkSession spark = dataset.sparkSession();
        ModelSource source = load(spark);
        ScoreSettings settings = ScoreSettings.of(spark, source, loaded.bytes())
                .withDevice(getDevice())
                .withWeights(precision())
                .withBatchRows(getBatchRows())
                .withInvalid(invalid());
        return isGraph() ? graph(dataset, all, settings) : lstm(dataset, all, settings);
    }

    private Dataset<Row> graph(Dataset<?> dataset, StructType all, ScoreSettings settings) {
        Map<String, String> inputs = named(inputCols), outputs = named(outputCols);
        GraphScorer.Columns columns = new GraphScorer.Columns(
                List.copyOf(inputs.keySet()), List.copyOf(inputs.values()), List.copyOf(outputs.keySet()));
        RowShapes.Whole shape = new RowShapes.Whole(
                ordinals(dataset.schema(), inputs.values().stream()), outputs.size(), isSet(errorCol));
        MapPartitionsFunction<Row, Row> function = rows -> new BatchIterator<>(
                rows,
                shape,
                () -> new GraphScorer(columns, settings, DeviceChoice.of(settings.device(), TaskContext.get())),
                settings.invalid(),
                settings.metrics());
        return withMetadata(dataset.toDF().mapPartitions(function, Encoders.row(all)), all);
    }

    private Dataset<Row> lstm(Dataset<?> dataset, StructType all, ScoreSettings settings) {
        StructType schema = dataset.schema();
        DataType type = schema.apply(getInputCol()).dataType();
        LstmScorer.Columns columns = new LstmScorer.Columns(
                getInputCol(), isFlat(type), orNull(lengthCol), orNull(initialHCol), orNull(initialCCol), result());
        if (canBeApart(schema, type)) {
            return apart(dataset, all, columns, settings);
        }
        RowShapes.Whole shape = new RowShapes.Whole(
                ordinals(
                        schema,
                        Stream.of(inputCol, lengthCol, initialHCol, initialCCol)
                                .map(this::orNull)
                                .filter(Objects::nonNull)),
                1,
                isSet(errorCol));
        return withMetadata(dataset.toDF().mapPartitions(function(columns, settings, shape), Encoders.row(all)), all);
    }

    /** Returns the table with the columns' metadata, which Spark drops where rows go through a function. */
    private static Dataset<Row> withMetadata(Dataset<Row> table, StructType all) {
        if (Arrays.stream(all.fields()).allMatch(field -> field.metadata().equals(Metadata.empty()))) {
            return table;
        }
        String[] places =
                IntStream.range(0, all.size()).mapToObj(k -> "c" + k).toArray(String[]::new); // names may repeat
        return table.toDF(places)
                .select(IntStream.range(0, all.size())
                        .mapToObj(k -> functions
                                .col(places[k])
                                .as(all.apply(k).name(), all.apply(k).metadata()))
                        .toArray(Column[]::new));
    }

    private static <I, O> MapPartitionsFunction<I, O> function(
            LstmScorer.Columns columns, ScoreSettings settings, BatchIterator.Shape<I, O> shape) {
        return rows -> new BatchIterator<>(
                rows,
                shape,
                () -> new LstmScorer(columns, settings, DeviceChoice.of(settings.device(), TaskContext.get())),
                settings.invalid(),
                settings.metrics());
    }

    private String orNull(Param<String> param) {
        return isSet(param) ? getOrDefault(param) : null;
    }

    private static int[] ordinals(StructType schema, Stream<String> names) {
        return names.mapToInt(schema::fieldIndex).toArray();
    }

    /**
     * Returns whether floats needn't be boxed: Spark hands an {@code array<float>} over as {@code float[]} beside a row
     * of the other columns, up to twice as fast as in the row. It refuses a null among the floats, which is as good as
     * an error of ours, but can't be skipped or kept.
     */
    private boolean canBeApart(StructType schema, DataType type) {
        boolean isUsedTwice = Stream.of(lengthCol, initialHCol, initialCCol)
                .anyMatch(param -> getInputCol().equals(orNull(param)));
        return type instanceof ArrayType array
                && array.elementType().equals(DataTypes.FloatType)
                && (!array.containsNull() || invalid() == Invalid.ERROR)
                && result() != LstmResult.Y
                && !isUsedTwice
                && Arrays.stream(schema.fieldNames()).distinct().count() == schema.size();
    }

    private Dataset<Row> apart(Dataset<?> dataset, StructType all, LstmScorer.Columns columns, ScoreSettings settings) {
        StructType schema = dataset.schema();
        String input = getInputCol();
        StructType others = new StructType(Arrays.stream(schema.fields())
                .filter(field -> !field.name().equals(input))
                .toArray(StructField[]::new));
        // A row of no columns isn't one that Spark can encode.
        StructType row = others.isEmpty() ? new StructType().add("none", DataTypes.IntegerType) : others;
        Column rest = functions.struct(
                others.isEmpty()
                        ? new Column[] {functions.lit(0).as("none")}
                        : Arrays.stream(others.fieldNames())
                                .map(LstmTransformer::column)
                                .toArray(Column[]::new));
        Encoder<float[]> floats = dataset.sparkSession().implicits().newFloatArrayEncoder();
        RowShapes.Apart shape = new RowShapes.Apart(
                input,
                ordinals(
                        others,
                        Stream.of(lengthCol, initialHCol, initialCCol)
                                .map(this::orNull)
                                .filter(Objects::nonNull)));
        Dataset<Tuple2<Row, float[]>> pairs =
                dataset.select(rest.as("_1"), column(input).as("_2")).as(Encoders.tuple(Encoders.row(row), floats));
        Encoder<Tuple4<Row, float[], float[], String>> encoder =
                Encoders.tuple(Encoders.row(row), floats, floats, Encoders.STRING());
        Dataset<Row> scored =
                pairs.mapPartitions(function(columns, settings, shape), encoder).toDF();
        List<Column> selected = new ArrayList<>();
        for (StructField field : schema.fields()) {
            Column column = field.name().equals(input)
                    ? functions.col("_2").cast(field.dataType())
                    : functions.col("_1").getField(field.name());
            selected.add(column.as(field.name(), field.metadata()));
        }
        selected.add(functions.col("_3").as(getOutputCol()));
        if (isSet(errorCol)) {
            selected.add(functions.col("_4").as(getErrorCol()));
        }
        return scored.select(selected.toArray(Column[]::new));
    }

    private static Column column(String name) {
        return functions.col("`" + name.replace("`", "``") + "`");
    }

    /** Reads and sends the model, unless that was done and its file didn't change since. */
    private synchronized ModelSource load(SparkSession spark) {
        SparkContext context = spark.sparkContext();
        Configuration hadoop = context.hadoopConfiguration();
        List<String> outputs = isGraph() ? List.copyOf(named(outputCols).keySet()) : List.of();
        String key = getModelPath() + " " + outputs + " " + ModelSource.stamp(getModelPath(), hadoop);
        if (loaded == null || !loaded.key().equals(key) || loaded.context() != context) {
            ModelSource source = isGraph()
                    ? ModelSource.graph(getModelPath(), outputs, hadoop)
                    : ModelSource.lstm(getModelPath(), hadoop);
            loaded = new Loaded(key, source, context, ScoreSettings.send(spark, source));
        }
        return loaded.source();
    }

    /** Returns a copy with the same name, whose parameters {@code extra} changes. */
    @Override
    public LstmTransformer copy(ParamMap extra) {
        return defaultCopy(extra);
    }

    /** Returns a writer that stores the parameters and a copy of the model's file, so that the folder can be moved. */
    @Override
    public MLWriter write() {
        return new LstmTransformerFiles.Writer(this);
    }

    /** Returns a writer of the parameters alone. */
    MLWriter paramsWriter() {
        return DefaultParamsWritable.super.write();
    }

    /** Returns a reader of what {@link #write()} stored. The transformer uses the copy of the model in that folder. */
    public static MLReader<LstmTransformer> read() {
        return new LstmTransformerFiles.Reader();
    }

    /** Returns a transformer that was saved to {@code path}. */
    public static LstmTransformer load(String path) {
        return read().load(path);
    }
}
