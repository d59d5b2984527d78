package io.github.cellfuse.spark.local;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The program behind {@code bin/spark-local}: a cluster until a command on it has ended, or until Ctrl-C. */
@Command(
        name = "bin/spark-local",
        mixinStandardHelpOptions = true,
        description = "Starts a standalone cluster of Spark on 127.0.0.1 and stops it on Ctrl-C, or when COMMAND has"
                + " ended. COMMAND finds the cluster's address in SPARK_MASTER and Spark's jars in SPARK_HOME.",
        footer = {
            "",
            "bin/spark-local --example    runs the example of docs/spark.md, and compares with cellfuse run",
            "bin/spark-local --measure    times executors against the engine alone; --measure --help",
        })
public final class SparkLocal implements Callable<Integer> {
    /** Set by the script. */
    static final String HOME = "cellfuse.spark.home", JAR = "cellfuse.spark.jar", LOGS = "cellfuse.spark.logs";

    @Option(names = "--workers", paramLabel = "N", defaultValue = "2", description = "Default: ${DEFAULT-VALUE}.")
    private int workers;

    @Option(
            names = "--cores",
            paramLabel = "N",
            defaultValue = "1",
            description = "Cores of each worker. Default: ${DEFAULT-VALUE}.")
    private int cores;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            defaultValue = "2g",
            description = "Memory of each worker for executors. Default: ${DEFAULT-VALUE}.")
    private String memory;

    @Parameters(arity = "0..*", paramLabel = "COMMAND", description = "A command with its arguments, after --.")
    private List<String> command = List.of();

    private SparkLocal() {}

    public static void main(String[] words) {
        System.exit(new CommandLine(new SparkLocal())
                .setUsageHelpWidth(100)
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    System.err.println("cellfuse: error: " + e.getMessage());
                    return e instanceof CellFuseException ? 1 : 2;
                })
                .execute(words));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path home = Path.of(System.getProperty(HOME));
        Path logs = Path.of(System.getProperty(LOGS));
        LocalCluster.Options options = new LocalCluster.Options(home, logs).withWorkers(workers, cores, memory);
        try (LocalCluster cluster = LocalCluster.start(options)) {
            // Ctrl-C, too, ends the cluster.
            Runtime.getRuntime().addShutdownHook(new Thread(cluster::close));
            say("master: " + cluster.url() + ", " + workers + " workers of " + cores + " cores and " + memory);
            if (!command.isEmpty()) {
                return run(cluster, home);
            }
            say("logs: " + logs);
            say("submit: SPARK_LOCAL_IP=127.0.0.1 " + String.join(" ", submit(home, cluster.url())) + " ARGUMENTS");
            say("Ctrl-C stops the cluster");
            new CountDownLatch(1).await();
        }
        return 0;
    }

    private int run(LocalCluster cluster, Path home) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().putAll(LocalCluster.environment(home));
        builder.environment().put("SPARK_MASTER", cluster.url());
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process.waitFor();
    }

    /** What bin/spark-submit of a distribution does, without one. */
    private static List<String> submit(Path home, String url) {
        List<String> words =
                new ArrayList<>(List.of(LocalCluster.java(), "-cp", "'" + LocalCluster.classPath(home) + "'"));
        words.addAll(Arrays.asList(
                "org.apache.spark.deploy.SparkSubmit",
                "--master",
                url,
                "--class",
                "io.github.cellfuse.spark.ScoreTable",
                System.getProperty(JAR)));
        return words;
    }

    private static void say(String message) {
        System.err.println("cellfuse: " + message);
    }
}
