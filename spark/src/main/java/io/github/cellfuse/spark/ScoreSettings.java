package io.github.cellfuse.spark;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.batch.DeviceNeed;
import java.io.Serializable;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

/**
 * What a task needs to open the model: sent with it.
 *
 * @param model what the bytes are
 * @param bytes the bytes of the model's file, which each executor receives once
 * @param device {@code auto} or a device's name
 * @param weights the precision of the weights
 * @param cores the cores of an executor; 0 if Spark wasn't told
 * @param batchRows rows of a batch; 0 to choose it
 * @param invalid what happens to bad rows
 * @param metrics the counters
 */
record ScoreSettings(
        ModelSource.About model,
        Broadcast<byte[]> bytes,
        String device,
        WeightPrecision weights,
        int cores,
        int batchRows,
        Invalid invalid,
        ScoreMetrics metrics)
        implements Serializable {
    /** A batch of more rows isn't faster on any device, and its rows wait in memory. */
    private static final int MOST_ROWS = 16_384;

    /** The memory of all batches of an executor, as that of the chunks of a job. */
    private static final long BUDGET_BYTES = 256L << 20;

    /** Returns the default settings of a model that was sent. */
    static ScoreSettings of(SparkSession spark, ModelSource source, Broadcast<byte[]> bytes) {
        SparkContext context = spark.sparkContext();
        int cores = context.isLocal()
                ? context.defaultParallelism()
                : context.getConf().getInt("spark.executor.cores", 0);
        return new ScoreSettings(
                source.about(),
                bytes,
                DeviceChoice.AUTO,
                WeightPrecision.F32,
                cores,
                0,
                Invalid.ERROR,
                ScoreMetrics.register(context));
    }

    /** Makes the bytes of a model available to all executors. */
    static Broadcast<byte[]> send(SparkSession spark, ModelSource source) {
        return JavaSparkContext.fromSparkContext(spark.sparkContext()).broadcast(source.bytes());
    }

    ScoreSettings withDevice(String device) {
        return new ScoreSettings(model, bytes, device, weights, cores, batchRows, invalid, metrics);
    }

    ScoreSettings withWeights(WeightPrecision weights) {
        return new ScoreSettings(model, bytes, device, weights, cores, batchRows, invalid, metrics);
    }

    ScoreSettings withBatchRows(int batchRows) {
        return new ScoreSettings(model, bytes, device, weights, cores, batchRows, invalid, metrics);
    }

    ScoreSettings withInvalid(Invalid invalid) {
        return new ScoreSettings(model, bytes, device, weights, cores, batchRows, invalid, metrics);
    }

    /** Returns the options of an engine: the threads of a device in the JVM are as many as the executor's cores. */
    EngineOptions options() {
        return EngineOptions.DEFAULT.withThreads(cores).withWeights(weights).withListener(RunTimes.LISTENER);
    }

    /** Returns a lease of the engine of this JVM. */
    EnginePool.Lease acquire(DeviceChoice choice, List<String> outputs, Supplier<EnginePool.Opened> opener) {
        return EnginePool.SHARED.acquire(new EnginePool.Key(model.digest(), choice, weights, cores, outputs), () -> {
            try {
                return opener.get();
            } catch (CellFuseException e) {
                throw new CellFuseException("device " + choice + ": " + e.getMessage(), e);
            }
        });
    }

    /** Returns the number of tasks that may run at the same time in this JVM. */
    private int tasks() {
        TaskContext context = TaskContext.get();
        int all = cores > 0 ? cores : Runtime.getRuntime().availableProcessors();
        return Math.max(1, context == null ? 1 : all / Math.max(1, context.cpus()));
    }

    /**
     * Returns the most rows of a batch.
     *
     * @param rowBytes the bytes of a row with everything that belongs to it
     * @param devices the memories of the OpenCL devices that compute it
     * @param needs what is needed of each of them
     */
    int mostRows(long rowBytes, List<DeviceInfo.Memory> devices, List<DeviceNeed> needs) {
        if (batchRows > 0) {
            return batchRows;
        }
        long budget = Math.min(BUDGET_BYTES, Runtime.getRuntime().maxMemory() / 4) / tasks();
        long rows = Math.min(MOST_ROWS, budget / Math.max(1, rowBytes));
        for (DeviceInfo.Memory device : devices) {
            rows = Math.min(rows, DeviceNeed.mostRows(needs, device) / tasks());
        }
        return (int) Math.max(1, rows);
    }

    /** Returns the memories of those of the engines' devices that have limits of their own. */
    static List<DeviceInfo.Memory> memories(List<LstmEngine> engines) {
        Set<Device> devices = engines.stream()
                .map(LstmEngine::device)
                .filter(Device.OpenCl.class::isInstance)
                .collect(Collectors.toSet());
        if (devices.isEmpty()) {
            return List.of();
        }
        return Device.all().stream()
                .filter(info -> devices.contains(info.device()))
                .map(DeviceInfo::memory)
                .toList();
    }
}
