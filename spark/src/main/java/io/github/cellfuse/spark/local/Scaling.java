package io.github.cellfuse.spark.local;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.spark.LstmTransformer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Measures what Spark costs: the start of a cluster and of a session, an empty task, and the rows per second of 1, 2, …
 * executors of one core each, against as many processes that run the engine alone. {@code bin/spark-local --measure}.
 */
@Command(
        name = "bin/spark-local --measure",
        mixinStandardHelpOptions = true,
        description = "Times executors of one core against as many processes with the engine alone.")
public final class Scaling implements Callable<Integer> {
    /** Executors and processes compute on one core each, the java device with vectors. */
    private static final List<String> ONE_CORE =
            List.of("-XX:ActiveProcessorCount=1", "--add-modules=jdk.incubator.vector", "-Xmx900m");

    private static final int EMPTY_TASKS = 500;

    @Option(
            names = "--shape",
            paramLabel = "T,I,H",
            split = ",",
            defaultValue = "64,256,256",
            description = "Steps, inputs and hidden units. Default: ${DEFAULT-VALUE}.")
    private int[] shape;

    @Option(names = "--rows", paramLabel = "N", defaultValue = "4096", description = "Default: ${DEFAULT-VALUE}.")
    private int rows;

    @Option(names = "--batch-rows", paramLabel = "N", defaultValue = "64", description = "Default: ${DEFAULT-VALUE}.")
    private int batchRows;

    @Option(
            names = "--tasks",
            paramLabel = "N",
            defaultValue = "4",
            description = "Tasks for each executor. Default: ${DEFAULT-VALUE}.")
    private int tasks;

    @Option(
            names = "--executors",
            paramLabel = "N,...",
            split = ",",
            defaultValue = "1,2",
            description = "Default: ${DEFAULT-VALUE}.")
    private int[] executors;

    @Option(names = "--passes", paramLabel = "N", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}.")
    private int passes;

    @Option(
            names = "--engine",
            paramLabel = "SECONDS",
            hidden = true,
            description = "Only run the engine in this process, and print its rows per second.")
    private double engineSeconds;

    private Scaling() {}

    public static void main(String[] words) {
        System.exit(new CommandLine(new Scaling())
                .setErr(new PrintWriter(System.out, true))
                .execute(words));
    }

    @Override
    public Integer call() throws Exception {
        if (engineSeconds > 0) {
            Rate rate = engineRate();
            System.out.println(rate.perSecond() + " " + rate.perCpuSecond());
            return 0;
        }
        Path folder = Path.of(System.getProperty(SparkLocal.LOGS)).resolveSibling("scaling");
        if (Files.exists(folder)) {
            LocalCluster.deleteFiles(folder);
        }
        Files.createDirectories(folder);
        Path model = folder.resolve("model.safetensors");
        ModelFiles.write(model(), model, true);
        for (int count : executors) {
            // Before and after: if they differ, the machine had other work, too.
            Rate before = enginesAlone(count), spark = onSpark(count, folder, model), after = enginesAlone(count);
            Rate alone = before.perSecond() > after.perSecond() ? before : after;
            say("%d engines alone: %s; afterwards %s", count, before, after);
            say(
                    "%d executors: %s; of the faster engines alone by time %.2f, by processor time %.2f",
                    count, spark, spark.perSecond() / alone.perSecond(), spark.perCpuSecond() / alone.perCpuSecond());
        }
        LocalCluster.deleteFiles(folder);
        return 0;
    }

    private LstmModel model() {
        SplittableRandom random = new SplittableRandom(1);
        int inputs = shape[1], units = shape[2];
        float scale = (float) (1 / Math.sqrt(units));
        return new LstmModel(
                Direction.FORWARD,
                List.of(List.of(LstmWeights.builder(inputs, units)
                        .input(values(random, 4 * units * inputs, scale))
                        .recurrent(values(random, 4 * units * units, scale))
                        .inputBias(values(random, 4 * units, scale))
                        .recurrentBias(values(random, 4 * units, scale))
                        .build())));
    }

    private static float[] values(SplittableRandom random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = ((random.nextInt() >>> 8) * 0x1p-23f - 1) * scale;
        }
        return values;
    }

    /**
     * How fast it was. A machine that others use, too, takes longer, but hardly more of its processors' time.
     *
     * @param perSecond rows per second, of all processes together
     * @param perCpuSecond rows per second of the processors' time, whoever spent it
     */
    private record Rate(double perSecond, double perCpuSecond) {
        @Override
        public String toString() {
            return String.format("%.0f rows/s, %.0f per processor second", perSecond, perCpuSecond);
        }
    }

    private static double cpuSeconds(Stream<ProcessHandle> processes) {
        return processes
                        .mapToLong(process ->
                                process.info().totalCpuDuration().orElseThrow().toMillis())
                        .sum()
                / 1e3;
    }

    private Rate engineRate() {
        LstmModel model = model();
        int steps = shape[0];
        LstmInput input = LstmInput.batchMajor(
                values(new SplittableRandom(2), batchRows * steps * shape[1], 1), batchRows, steps);
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession session = engine.newSession()) {
            LstmOutput output = LstmOutput.statesOnly(model, input);
            // The first third compiles the loops.
            long started = System.nanoTime(), counted = 0;
            long warm = started + (long) (engineSeconds / 3 * 1e9), end = started + (long) (engineSeconds * 1e9);
            long first = 0;
            double cpu = 0;
            while (System.nanoTime() < end) {
                session.run(input, output);
                if (first != 0) {
                    counted += batchRows;
                } else if (System.nanoTime() > warm) {
                    first = System.nanoTime();
                    cpu = cpuSeconds(Stream.of(ProcessHandle.current()));
                }
            }
            return new Rate(counted / seconds(first), counted / (cpuSeconds(Stream.of(ProcessHandle.current())) - cpu));
        }
    }

    /** Returns the sum of the rates of processes that run at the same time. */
    private Rate enginesAlone(int count) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LocalCluster.java()));
        command.addAll(ONE_CORE);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Scaling.class.getName()));
        command.addAll(List.of("--engine", "15", "--batch-rows", Integer.toString(batchRows), "--shape"));
        command.add(shape[0] + "," + shape[1] + "," + shape[2]);
        List<Process> processes = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            processes.add(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        }
        double sum = 0, cpuSum = 0;
        for (Process process : processes) {
            String printed = new String(process.getInputStream().readAllBytes()).strip();
            if (process.waitFor() != 0) {
                throw new CellFuseException("a process with the engine alone failed: " + printed);
            }
            String[] words = printed.split(" ");
            sum += Double.parseDouble(words[0]);
            cpuSum += Double.parseDouble(words[1]);
        }
        return new Rate(sum, cpuSum / count);
    }

    private Rate onSpark(int count, Path folder, Path model) {
        long started = System.nanoTime();
        Path home = Path.of(System.getProperty(SparkLocal.HOME));
        LocalCluster.Options options =
                new LocalCluster.Options(home, folder.resolve("cluster-" + count)).withWorkers(count, 1, "1g");
        try (LocalCluster cluster = LocalCluster.start(options)) {
            say("cluster of %d workers: %.1f s", count, seconds(started));
            started = System.nanoTime();
            SparkSession session = connect(cluster, count, folder);
            try {
                say("session: %.1f s", seconds(started));
                started = System.nanoTime();
                session.range(0, count, 1, count).count();
                say("first job: %.1f s", seconds(started));
                emptyTasks(session); // compiles what it needs
                started = System.nanoTime();
                emptyTasks(session);
                say("empty task: %.1f ms", seconds(started) * 1e3 * count / EMPTY_TASKS);
                return rate(session, cluster, count, folder, model);
            } finally {
                session.stop();
                SparkSession.clearActiveSession();
                SparkSession.clearDefaultSession();
            }
        }
    }

    private static void emptyTasks(SparkSession session) {
        session.range(0, EMPTY_TASKS, 1, EMPTY_TASKS)
                .write()
                .format("noop")
                .mode("overwrite")
                .save();
    }

    private Rate rate(SparkSession session, LocalCluster cluster, int count, Path folder, Path model) {
        String table = folder.resolve("table-" + count).toString();
        int length = shape[0] * shape[1];
        session.range(0, rows, 1, tasks * count)
                .withColumn(
                        "features",
                        functions.expr("transform(sequence(1, " + length
                                + "), k -> cast(hash(id, k) / 2147483648.0 as float))"))
                .write()
                .parquet(table);
        Dataset<Row> input = session.read().parquet(table);
        LstmTransformer lstm = new LstmTransformer()
                .setModelPath(model.toString())
                .setInputCol("features")
                .setOutputCol("last")
                .setDevice("java")
                .setBatchRows(batchRows);
        double[] read = new double[passes], scored = new double[passes + 1];
        for (int k = 0; k < passes; k++) {
            read[k] = timed(input);
        }
        double cpu = 0;
        for (int k = 0; k <= passes; k++) {
            scored[k] = timed(lstm.transform(input));
            if (k == 0) {
                cpu = cpuSeconds(cluster.executors().stream());
            }
        }
        cpu = (cpuSeconds(cluster.executors().stream()) - cpu) / passes;
        say(
                "read only: %.2f s; scored: first %.2f s, then %s",
                Arrays.stream(read).min().getAsDouble(),
                scored[0],
                Arrays.toString(Arrays.stream(scored)
                        .skip(1)
                        .map(s -> Math.round(s * 100) / 100.0)
                        .toArray()));
        double[] then = Arrays.copyOfRange(scored, 1, scored.length);
        Arrays.sort(then);
        return new Rate(rows / then[then.length / 2], rows / cpu);
    }

    private static double timed(Dataset<Row> rows) {
        long started = System.nanoTime();
        rows.write().format("noop").mode("overwrite").save();
        return seconds(started);
    }

    private static SparkSession connect(LocalCluster cluster, int count, Path folder) {
        Map<String, String> conf = new HashMap<>(Map.of(
                "spark.driver.host", "127.0.0.1",
                "spark.driver.bindAddress", "127.0.0.1",
                "spark.ui.enabled", "false",
                "spark.executor.memory", "900m",
                "spark.executor.extraJavaOptions", String.join(" ", ONE_CORE.subList(0, 2)),
                "spark.jars", System.getProperty(SparkLocal.JAR),
                "spark.local.dir", folder.toString(),
                "spark.scheduler.minRegisteredResourcesRatio", "1.0",
                "spark.scheduler.maxRegisteredResourcesWaitingTime", "60s"));
        // a file for each task
        conf.put("spark.sql.files.openCostInBytes", Long.toString(1L << 30));
        SparkSession.Builder builder = SparkSession.builder().appName("Scaling").master(cluster.url());
        conf.forEach(builder::config);
        SparkSession session = builder.getOrCreate();
        session.sparkContext().setLogLevel("ERROR");
        return session;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static void say(String format, Object... values) {
        System.out.printf(format + "%n", values);
    }
}
