package io.github.cellfuse.spark;

import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.util.DoubleAccumulator;
import org.apache.spark.util.LongAccumulator;

/**
 * The accumulators of a transformation: Spark's UI shows them by name with each stage and task. Spark adds what every
 * attempt of a task that ends well counts, so tasks that run twice are counted twice.
 *
 * @param rows rows that were computed
 * @param batches runs of the model
 * @param deviceSeconds time in the model's LSTMs, copies included
 * @param waitingSeconds time in which other tasks kept an LSTM from computing
 * @param invalidRows rows that were skipped or kept without a result
 * @param paddingSteps steps past the lengths of rows, which a batch holds since its longest row is longer
 */
record ScoreMetrics(
        LongAccumulator rows,
        LongAccumulator batches,
        DoubleAccumulator deviceSeconds,
        DoubleAccumulator waitingSeconds,
        LongAccumulator invalidRows,
        LongAccumulator paddingSteps)
        implements Serializable {

    /** Registers new accumulators. */
    static ScoreMetrics register(SparkContext context) {
        return new ScoreMetrics(
                context.longAccumulator("cellfuse rows"),
                context.longAccumulator("cellfuse batches"),
                context.doubleAccumulator("cellfuse device seconds"),
                context.doubleAccumulator("cellfuse waiting seconds"),
                context.longAccumulator("cellfuse invalid rows"),
                context.longAccumulator("cellfuse padding steps"));
    }
}
