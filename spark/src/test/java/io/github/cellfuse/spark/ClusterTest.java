package io.github.cellfuse.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.spark.FaultyRows.Fault;
import io.github.cellfuse.spark.local.LocalCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * The transformer on a cluster of separate JVMs, whose executors have the jars of a Spark alone and the jar that is
 * made for them. Whatever happens to an executor, the results are those of an engine run directly, bit for bit. The
 * methods share one cluster and go from small faults to great ones: the last one loses a worker.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@ExtendWith(ClusterTest.Failures.class)
class ClusterTest {
    private static final Path
            EXAMPLE = Path.of("../examples/sunspots").toAbsolutePath().normalize(),
            MODEL = EXAMPLE.resolve("model.safetensors"),
            HOME = Path.of(System.getProperty("cellfuse.spark.home")),
            JAR = Path.of(System.getProperty("cellfuse.spark.jar")),
            FOLDER = Path.of("target", "cluster-test").toAbsolutePath();
    /** The rows are few: what would be compiled well would hardly run then. */
    private static final String QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

    private static final int PARTITIONS = 4, BATCH_ROWS = 16;

    private static LocalCluster cluster;
    private static SparkSession session;

    /** The rows, and the last hidden state of each, computed without Spark. */
    private static List<float[]> inputs, expected;

    /** The logs stay if a test has failed. */
    static final class Failures implements TestWatcher {
        private static final AtomicInteger COUNT = new AtomicInteger();

        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            COUNT.incrementAndGet();
        }
    }

    @BeforeAll
    static void start() throws IOException {
        if (Files.exists(FOLDER)) {
            LocalCluster.deleteFiles(FOLDER);
        }
        Files.createDirectories(FOLDER);
        compute();
        // Spark calls it for each worker; they needn't know that both tell of the same GPU.
        Path script = Files.writeString(
                FOLDER.resolve("gpus"), "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"0\"]}'\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        cluster = LocalCluster.start(new LocalCluster.Options(HOME, FOLDER).withGpu(script));
        session = connect(Map.of());
    }

    @AfterAll
    static void stop() {
        if (session != null) {
            session.stop();
        }
        if (cluster != null) {
            cluster.close();
            assertEquals(List.of(), cluster.executors());
        }
        if (Failures.COUNT.get() == 0) {
            LocalCluster.deleteFiles(FOLDER);
        } else {
            System.err.println("the logs of the cluster: " + FOLDER);
        }
    }

    private static void compute() {
        LstmModel model = ModelFiles.read(MODEL);
        float[] x;
        int rows, length;
        try (NpyArray array = NpyArray.open(EXAMPLE.resolve("input.npy"))) {
            x = array.readAll();
            rows = Math.toIntExact(array.shape()[0]);
            length = x.length / rows;
        }
        inputs = new ArrayList<>();
        for (int k = 0; k < rows; k++) {
            inputs.add(Arrays.copyOfRange(x, k * length, (k + 1) * length));
        }
        int steps = length / model.inputSize(), width = model.outputSize();
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, model);
                LstmSession direct = engine.newSession()) {
            LstmOutput output = direct.run(LstmInput.batchMajor(x, rows, steps));
            FloatBuffer y = output.y();
            expected = new ArrayList<>();
            for (int k = 0; k < rows; k++) {
                float[] last = new float[width];
                y.get((k * steps + steps - 1) * width, last);
                expected.add(last);
            }
        }
    }

    private static SparkSession connect(Map<String, String> more) {
        Map<String, String> conf = new HashMap<>(Map.of(
                "spark.driver.host",
                "127.0.0.1",
                "spark.driver.bindAddress",
                "127.0.0.1",
                "spark.ui.enabled",
                "false",
                "spark.executor.memory",
                "512m",
                "spark.jars",
                JAR.toString(),
                // the functions of these tests; nothing of CellFuse can be found by it
                "spark.executor.extraClassPath",
                functionsAlone().toString(),
                "spark.executor.extraJavaOptions",
                QUICK_START,
                "spark.local.dir",
                FOLDER.resolve("local").toString(),
                "spark.sql.warehouse.dir",
                FOLDER.resolve("warehouse").toString()));
        // Both executors are there before the first task.
        conf.put("spark.scheduler.minRegisteredResourcesRatio", "1.0");
        conf.put("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s");
        conf.put("spark.sql.shuffle.partitions", Integer.toString(PARTITIONS));
        conf.put("spark.sql.adaptive.enabled", "false");
        conf.putAll(more);
        SparkSession.Builder builder =
                SparkSession.builder().appName("ClusterTest").master(cluster.url());
        conf.forEach(builder::config);
        SparkSession connected = builder.getOrCreate();
        connected.sparkContext().setLogLevel("ERROR");
        return connected;
    }

    /** A folder with the classes of faults alone. */
    private static Path functionsAlone() {
        Path classes = Path.of("target", "test-classes"), alone = FOLDER.resolve("functions");
        String folder = ClusterTest.class.getPackageName().replace('.', '/');
        try {
            Files.createDirectories(alone.resolve(folder));
            try (Stream<Path> all = Files.list(classes.resolve(folder))) {
                for (Path each : all.filter(
                                file -> file.getFileName().toString().matches("(FaultyRows|ClusterTest).*"))
                        .toList()) {
                    Path copy = alone.resolve(folder).resolve(each.getFileName());
                    if (!Files.exists(copy)) {
                        Files.copy(each, copy);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return alone;
    }

    private static Dataset<Row> table(FaultyRows faults) {
        List<Row> rows = new ArrayList<>();
        for (int k = 0; k < inputs.size(); k++) {
            List<Float> boxed = new ArrayList<>();
            for (float value : inputs.get(k)) {
                boxed.add(value);
            }
            rows.add(RowFactory.create(k, boxed.toArray()));
        }
        StructType type = new StructType()
                .add("id", DataTypes.IntegerType)
                .add("features", DataTypes.createArrayType(DataTypes.FloatType));
        return session.createDataFrame(rows, type).repartition(PARTITIONS).mapPartitions(faults, Encoders.row(type));
    }

    private static LstmTransformer lstm() {
        return new LstmTransformer()
                .setModelPath(MODEL.toString())
                .setInputCol("features")
                .setOutputCol("last")
                .setDevice("java")
                .setBatchRows(BATCH_ROWS);
    }

    /** Scores the rows and compares every bit. */
    private static void assertScores(FaultyRows faults) {
        assertResults(lstm().transform(table(faults)));
    }

    private static void assertResults(Dataset<Row> results) {
        Map<Integer, String> found = new HashMap<>();
        for (Row row : results.select("id", "last").collectAsList()) {
            List<Float> values = row.getList(1);
            assertEquals(null, found.put(row.getInt(0), values.toString()), "row " + row.getInt(0) + " came twice");
        }
        Map<Integer, String> wanted = new HashMap<>();
        for (int k = 0; k < expected.size(); k++) {
            wanted.put(k, Arrays.toString(expected.get(k)));
        }
        assertEquals(wanted, found);
    }

    private static FaultyRows fault(Fault fault, String name) {
        // beyond the first batches, so that some of the partition was computed
        return new FaultyRows(fault, 1, 2 * BATCH_ROWS + 1, FOLDER.resolve(name).toString());
    }

    /** Starts a thread that waits for the sign of a task, and then does something about its executor. */
    private static Thread atSign(FaultyRows faults, LongConsumer action) {
        Thread thread = new Thread(() -> {
            Path sign = Path.of(faults.sign());
            try {
                while (!Files.exists(sign)) {
                    TimeUnit.MILLISECONDS.sleep(20);
                }
                action.accept(Long.parseLong(Files.readString(sign)));
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Test
    @Order(1)
    void tasksOnBothExecutorsGiveTheBitsOfAnEngine() {
        assertScores(fault(Fault.NONE, "none"));
        assertEquals(2, cluster.executors().size());
    }

    @Test
    @Order(2)
    void aTaskThatFailsIsRunAgain() {
        FaultyRows faults = fault(Fault.FAIL, "failed");
        assertScores(faults);
        assertTrue(Files.exists(Path.of(faults.sign())));
    }

    @Test
    @Order(3)
    void anExecutorIsKilled() throws InterruptedException {
        FaultyRows faults = fault(Fault.WAIT_TO_BE_KILLED, "executor");
        Set<Long> killed = ConcurrentHashMap.newKeySet();
        Thread killer = atSign(faults, pid -> {
            cluster.killExecutor(pid);
            killed.add(pid);
        });
        assertScores(faults);
        killer.join();
        assertEquals(1, killed.size());
        assertTrue(cluster.executors().stream().noneMatch(executor -> killed.contains(executor.pid())));
        assertTrue(cluster.isAlive());
    }

    /** The GPU is Spark's word alone, so the transformer must say so, and not take the processor. */
    @Test
    @Order(5)
    void aTaskThatHasAGpuDoesNotComputeElsewhere() {
        reconnect(Map.of("spark.executor.resource.gpu.amount", "1", "spark.task.resource.gpu.amount", "1"));
        List<String> addresses = assertTimeoutPreemptively(
                Duration.ofMinutes(1),
                () -> table(fault(Fault.NONE, "gpu"))
                        .mapPartitions(new Addresses(), Encoders.STRING())
                        .collectAsList());
        assertEquals(List.of("0"), addresses.stream().distinct().toList());
        Exception error = assertThrows(
                Exception.class,
                () -> lstm().setDevice("auto")
                        .transform(table(fault(Fault.NONE, "gpu")))
                        .collectAsList());
        assertTrue(messages(error).contains("Spark scheduled GPU 0 for this task"), () -> messages(error));
    }

    private record Addresses() implements MapPartitionsFunction<Row, String> {
        @Override
        public Iterator<String> call(Iterator<Row> rows) {
            return List.of(TaskContext.get().resourcesJMap().get("gpu").addresses()[0])
                    .iterator();
        }
    }

    @Test
    @Order(4)
    void theCopyOfAStragglerIsFaster() {
        reconnect(Map.of(
                "spark.speculation", "true",
                "spark.speculation.interval", "100ms",
                "spark.speculation.quantile", "0.5",
                "spark.speculation.multiplier", "1.5",
                // longer than a task takes to begin on a new executor: it must get as far as to straggle
                "spark.speculation.minTaskRuntime", "3s"));
        AtomicInteger copies = new AtomicInteger();
        session.sparkContext().addSparkListener(new SparkListener() {
            @Override
            public void onTaskStart(SparkListenerTaskStart start) {
                if (start.taskInfo().speculative()) {
                    copies.incrementAndGet();
                }
            }
        });
        FaultyRows faults =
                new FaultyRows(Fault.STRAGGLE, 1, 0, FOLDER.resolve("straggler").toString());
        long started = System.nanoTime();
        assertScores(faults);
        assertTrue(Files.exists(Path.of(faults.sign())));
        assertTrue(copies.get() > 0, "no copy of a task was started");
        assertTrue(System.nanoTime() - started < TimeUnit.SECONDS.toNanos(50), "the straggler was waited for");
    }

    /** The command as a user starts it: nothing but Spark's jars and the one for clusters, on the driver, too. */
    @Test
    @Order(6)
    void aSubmittedTableIsScored() throws IOException, InterruptedException {
        Path input = FOLDER.resolve("windows.parquet"), output = FOLDER.resolve("scores.parquet");
        reconnect(Map.of());
        table(fault(Fault.NONE, "table")).write().parquet(input.toString());
        session.stop(); // whose executors have all cores
        assertEquals(0, score(input, output, "features"), () -> lines("submit.log"));
        assertTrue(lines("submit.log").contains("cellfuse: scored 240 rows in "), () -> lines("submit.log"));
        assertEquals(2, score(input, FOLDER.resolve("none.parquet"), "windows"));
        assertTrue(
                lines("submit.log").contains("cellfuse: error: ")
                        && lines("submit.log").contains("features"),
                () -> lines("submit.log"));
        reconnect(Map.of());
        assertResults(session.read().parquet(output.toString()));
    }

    private static int score(Path input, Path output, String column) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LocalCluster.java(), "-Xmx512m"));
        command.addAll(List.of(QUICK_START.split(" ")));
        // what the launcher of a distribution gives to Spark 3.5
        Arrays.stream(System.getProperty("cellfuse.spark.opens").trim().split("\\s+"))
                .forEach(command::add);
        command.addAll(List.of(
                "-cp",
                LocalCluster.classPath(HOME),
                "org.apache.spark.deploy.SparkSubmit",
                "--master",
                cluster.url(),
                "--conf",
                "spark.driver.host=127.0.0.1",
                "--conf",
                "spark.driver.bindAddress=127.0.0.1",
                "--conf",
                "spark.ui.enabled=false",
                "--conf",
                "spark.executor.memory=512m",
                "--conf",
                "spark.executor.extraJavaOptions=" + QUICK_START,
                "--conf",
                "spark.local.dir=" + FOLDER.resolve("local"),
                "--class",
                ScoreTable.class.getName(),
                JAR.toString(),
                "--model",
                MODEL.toString(),
                "--input",
                input.toString(),
                "--output",
                output.toString(),
                "--input-col",
                column,
                "--output-col",
                "last",
                "--device",
                "java"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(FOLDER.resolve("submit.log").toFile());
        builder.environment().putAll(LocalCluster.environment(HOME));
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(2, TimeUnit.MINUTES), () -> lines("submit.log"));
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String lines(String log) {
        try {
            return Files.readString(FOLDER.resolve(log));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Order(7)
    void aWorkerIsKilled() throws InterruptedException {
        FaultyRows faults = fault(Fault.WAIT_TO_BE_KILLED, "worker");
        Thread killer = atSign(faults, pid -> {
            cluster.killWorker(cluster.workerOf(pid));
            // Its executors would notice soon, but the test is of losing both at once.
            cluster.killExecutor(pid);
        });
        assertScores(faults);
        killer.join();
    }

    private static void reconnect(Map<String, String> conf) {
        session.stop(); // a second time does nothing
        SparkSession.clearActiveSession();
        SparkSession.clearDefaultSession();
        session = connect(conf);
    }

    private static String messages(Throwable error) {
        List<String> all = new ArrayList<>();
        for (Throwable e = error; e != null; e = e.getCause()) {
            all.add(String.valueOf(e.getMessage()));
        }
        return all.stream().collect(Collectors.joining("\n"));
    }
}
