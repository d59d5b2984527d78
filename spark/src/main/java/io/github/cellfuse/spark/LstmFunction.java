package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.WeightPrecision;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.SparkSession;

/**
 * An LSTM as a function for {@code Dataset.mapPartitions}: each sequence {@code [T·I]} becomes its result, in order.
 * {@link LstmTransformer} does the same for the columns of a table.
 *
 * <pre>{@code
 * Encoder<float[]> floats = spark.implicits().newFloatArrayEncoder();
 * Dataset<float[]> last = sequences.mapPartitions(LstmFunction.of(spark, "model.safetensors"), floats);
 * }</pre>
 *
 * <p>The model is read when the function is made, and sent to each executor once. There the tasks share an engine;
 * results don't depend on the partitions. A sequence that can't be computed ends the job with an
 * {@link InvalidInputException} that names its row. Immutable and thread safe.
 */
public final class LstmFunction implements MapPartitionsFunction<float[], float[]> {
    private static final long serialVersionUID = 1L;

    private final ScoreSettings settings;
    private final LstmResult result;

    private LstmFunction(ScoreSettings settings, LstmResult result) {
        this.settings = settings;
        this.result = result;
    }

    /**
     * Returns a function that computes y after the last step of each sequence, {@code [D·P]}.
     *
     * @param modelPath a local path or a URI that Hadoop reads, of a {@code .safetensors}, {@code .onnx},
     *     {@code .keras} or {@code .h5} file
     * @throws InvalidInputException if there is no such file, or it doesn't hold an LSTM
     */
    public static LstmFunction of(SparkSession spark, String modelPath) {
        ModelSource source = ModelSource.lstm(modelPath, spark.sparkContext().hadoopConfiguration());
        return new LstmFunction(ScoreSettings.of(spark, source, ScoreSettings.send(spark, source)), LstmResult.LAST);
    }

    /**
     * Returns the same function with other results.
     *
     * @param output {@code last} [D·P], {@code y} [T·D·P], {@code h_n} [L·D·P] or {@code c_n} [L·D·H]
     */
    public LstmFunction withOutput(String output) {
        return new LstmFunction(settings, LstmResult.parse(output));
    }

    /** Returns the same function on another device than {@code auto}; see {@link LstmTransformer#device()}. */
    public LstmFunction withDevice(String device) {
        DeviceChoice.check(device);
        return new LstmFunction(settings.withDevice(device), result);
    }

    /** Returns the same function with weights in another precision. */
    public LstmFunction withWeights(WeightPrecision weights) {
        return new LstmFunction(settings.withWeights(weights), result);
    }

    /** Returns the same function with batches of this many rows; 0 to choose it by their memory. */
    public LstmFunction withBatchRows(int batchRows) {
        if (batchRows < 0) {
            throw new InvalidInputException("batchRows: expected 0 (automatic) or more, found " + batchRows);
        }
        return new LstmFunction(settings.withBatchRows(batchRows), result);
    }

    /** Computes the sequences of a partition as the results are read. */
    @Override
    public Iterator<float[]> call(Iterator<float[]> sequences) {
        LstmScorer.Columns columns = new LstmScorer.Columns("value", true, null, null, null, result);
        ScoreSettings all = settings;
        return new BatchIterator<>(
                sequences,
                new RowShapes.Plain(),
                () -> new LstmScorer(columns, all, DeviceChoice.of(all.device(), TaskContext.get())),
                all.invalid(),
                all.metrics());
    }
}
