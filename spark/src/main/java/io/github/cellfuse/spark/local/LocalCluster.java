package io.github.cellfuse.spark.local;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A standalone cluster on the loopback device: a master and workers, each a JVM of its own, from Spark's jars alone.
 * All ports are free ones, read from the logs, so several clusters can run on one machine. {@link #close()} ends
 * exactly the processes that the cluster has started.
 *
 * <p>Thread safe.
 */
public final class LocalCluster implements AutoCloseable {
    private static final Pattern URL = Pattern.compile("spark://[^\\s,]+:\\d+");

    private static final String LOOPBACK = "127.0.0.1",
            MASTER = "org.apache.spark.deploy.master.Master",
            WORKER = "org.apache.spark.deploy.worker.Worker";

    /** How long processes have to end by themselves before they are killed. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private final Options options;
    private final Daemon master;
    private final List<Daemon> workers = new ArrayList<>();

    /** The executors of workers: they outlive a worker that is killed, for a moment. */
    private final Set<ProcessHandle> executors = new LinkedHashSet<>();

    private String url;
    private boolean isClosed;

    /**
     * What a cluster is made of.
     *
     * @param home a folder with Spark's jars in {@code jars}
     * @param folder for logs and the files of workers; it need not exist
     * @param workers number of workers
     * @param cores cores that each worker offers
     * @param memory memory that each worker offers to executors, such as {@code 1g}
     * @param gpus script that prints a worker's GPUs as Spark wants it, if workers have any: see
     *     {@code spark.worker.resource.gpu.discoveryScript}
     * @param patience how long each process may take to be ready
     */
    public record Options(
            Path home, Path folder, int workers, int cores, String memory, Optional<Path> gpus, Duration patience) {
        /** Two workers of one core and 1 GiB each, without GPUs, ready within two minutes each. */
        public Options(Path home, Path folder) {
            this(home, folder, 2, 1, "1g", Optional.empty(), Duration.ofMinutes(2));
        }

        /** The same with one GPU for each worker, as {@code script} prints it. */
        public Options withGpu(Path script) {
            return new Options(home, folder, workers, cores, memory, Optional.of(script), patience);
        }

        /** The same with workers of this size. */
        public Options withWorkers(int number, int coresOfEach, String memoryOfEach) {
            return new Options(home, folder, number, coresOfEach, memoryOfEach, gpus, patience);
        }
    }

    private record Daemon(String name, Process process, Path log) {}

    private LocalCluster(Options options) throws IOException {
        this.options = options;
        master = launch(
                "master",
                List.of("-Dspark.master.rest.enabled=false"),
                LOOPBACK,
                MASTER,
                List.of("--host", LOOPBACK, "--port", "0", "--webui-port", "0"));
    }

    /**
     * Starts a cluster and waits until all of it is ready.
     *
     * @throws CellFuseException when a process ends or takes too long; its log is named and stays
     */
    public static LocalCluster start(Options options) {
        try {
            Files.createDirectories(options.folder());
            LocalCluster cluster = new LocalCluster(options);
            try {
                cluster.startAll();
                return cluster;
            } catch (RuntimeException | IOException | Error e) {
                cluster.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CellFuseException(options.folder() + ": the cluster can't be started: " + e.getMessage(), e);
        }
    }

    private void startAll() throws IOException {
        await(master, "New state: ALIVE");
        Matcher found = URL.matcher(text(master));
        if (!found.find()) {
            throw new CellFuseException(master.log() + ": expected the master's address, found none");
        }
        url = found.group();
        for (int k = 0; k < options.workers(); k++) {
            List<String> properties = new ArrayList<>();
            options.gpus().ifPresent(script -> {
                properties.add("-Dspark.worker.resource.gpu.amount=1");
                properties.add("-Dspark.worker.resource.gpu.discoveryScript=" + script.toAbsolutePath());
            });
            String host = hostOf(k);
            Path work = options.folder().resolve("work-" + k).toAbsolutePath();
            workers.add(launch(
                    "worker-" + k,
                    properties,
                    host,
                    WORKER,
                    List.of(
                            "--host",
                            host,
                            "--port",
                            "0",
                            "--webui-port",
                            "0",
                            "--cores",
                            Integer.toString(options.cores()),
                            "--memory",
                            options.memory(),
                            "--work-dir",
                            work.toString(),
                            url)));
        }
        for (Daemon worker : workers) {
            await(worker, "Successfully registered with master");
        }
    }

    private Daemon launch(String name, List<String> properties, String host, String main, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(java());
        // They do little, so compiling them well would take longer than it spares.
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(properties);
        command.addAll(List.of("-cp", classPath(options.home()), main));
        command.addAll(arguments);
        Path log = options.folder().resolve(name + ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().putAll(environment(options.home(), host));
        return new Daemon(name, builder.start(), log);
    }

    /** Spark starts no copy of a slow task on the host that runs it, so workers are hosts, where a system allows it. */
    private static String hostOf(int worker) {
        boolean isLinux = System.getProperty("os.name").equals("Linux");
        return isLinux ? "127.0.0." + (worker + 1) : LOOPBACK;
    }

    /** Returns the environment of a process of Spark that isn't of a cluster: with no other address than 127.0.0.1. */
    public static Map<String, String> environment(Path home) {
        return environment(home, LOOPBACK);
    }

    private static Map<String, String> environment(Path home, String host) {
        Map<String, String> variables = new HashMap<>(Map.of(
                "SPARK_HOME",
                home.toAbsolutePath().toString(),
                "SPARK_LOCAL_IP",
                LOOPBACK,
                "SPARK_LOCAL_HOSTNAME",
                LOOPBACK,
                "SPARK_SCALA_VERSION",
                "2.13"));
        // PoCL's compiler would take the signals of an executor's JVM: docs/design/decisions.md.
        Path signals = Path.of(System.getProperty("java.home"), "lib", "libjsig.so");
        if (Files.exists(signals)) {
            variables.put("LD_PRELOAD", signals.toString());
        }
        return variables;
    }

    /** Returns the class path of a process of Spark. */
    public static String classPath(Path home) {
        return home.toAbsolutePath().resolve("jars").resolve("*").toString();
    }

    /** Returns the program that runs this JVM. */
    public static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private void await(Daemon daemon, String sign) throws IOException {
        long end = System.nanoTime() + options.patience().toNanos();
        while (!text(daemon).contains(sign)) {
            boolean isLate = System.nanoTime() > end;
            if (isLate || !daemon.process().isAlive()) {
                throw new CellFuseException(daemon.log() + ": expected \"" + sign + "\", "
                        + (isLate
                                ? "found none in " + options.patience().toSeconds() + " s"
                                : "but the process ended"));
            }
            pause();
        }
    }

    private static String text(Daemon daemon) throws IOException {
        return Files.readString(daemon.log(), StandardCharsets.ISO_8859_1);
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CellFuseException("interrupted while a cluster was started or stopped", e);
        }
    }

    /** Returns the master's address for {@code --master}: {@code spark://127.0.0.1:PORT}. */
    public String url() {
        return url;
    }

    /** Returns the folder with the logs: {@code master.log}, {@code worker-K.log}, executors' below {@code work-K}. */
    public Path folder() {
        return options.folder();
    }

    /** Returns the executors that run now. */
    public synchronized List<ProcessHandle> executors() {
        for (Daemon worker : workers) {
            worker.process().descendants().forEach(executors::add);
        }
        return executors.stream().filter(ProcessHandle::isAlive).toList();
    }

    /**
     * Kills an executor, as {@code kill -9} does.
     *
     * @param pid the executor's process
     * @throws IllegalArgumentException when it is none of this cluster
     */
    public void killExecutor(long pid) {
        executors().stream()
                .filter(executor -> executor.pid() == pid)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(pid + " is no executor of this cluster"))
                .destroyForcibly();
    }

    /** Kills a worker, as {@code kill -9} does. Its executors end by themselves when they notice. */
    public void killWorker(int worker) {
        executors(); // which are no longer found below it
        workers.get(worker).process().destroyForcibly();
    }

    /** Returns the worker that an executor belongs to. */
    public int workerOf(long pid) {
        for (int k = 0; k < workers.size(); k++) {
            if (workers.get(k).process().descendants().anyMatch(process -> process.pid() == pid)) {
                return k;
            }
        }
        throw new IllegalArgumentException(pid + " is no executor of this cluster");
    }

    /** Returns whether all processes run. */
    public boolean isAlive() {
        return Stream.concat(Stream.of(master), workers.stream())
                .allMatch(daemon -> daemon.process().isAlive());
    }

    /** Ends all processes, by force where they don't listen. Doing it twice does nothing; it never throws. */
    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        Set<ProcessHandle> own = new LinkedHashSet<>(executors());
        Stream.concat(workers.stream(), Stream.of(master)).forEach(daemon -> {
            daemon.process().destroy();
            own.add(daemon.process().toHandle());
        });
        awaitEnd(own);
        own.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
        awaitEnd(own);
    }

    private static void awaitEnd(Set<ProcessHandle> processes) {
        long end = System.nanoTime() + GRACE.toNanos();
        try {
            while (processes.stream().anyMatch(ProcessHandle::isAlive) && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // those that are left are killed at once
        }
    }

    /** Deletes a cluster's logs and all other files, after {@link #close()}. */
    public static void deleteFiles(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
