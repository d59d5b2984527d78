package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A contender's process, as seen by the process that schedules the turns. Not thread safe. */
final class WorkerProcess implements AutoCloseable {
    /**
     * Settings of the OpenMP runtimes and of the libraries that a user's shell may carry: all start from the defaults.
     */
    private static final List<String> CLEARED =
            List.of("OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_", "ORT_");

    private static final int LOG_LINES = 15;

    private final Contender contender;
    private final Waiting waiting;
    private final Process process;
    private final BufferedReader replies;
    private final PrintStream commands;
    private final Path log;
    private final String version;

    private WorkerProcess(Contender contender, Waiting waiting, Process process, Path log) {
        this.contender = contender;
        this.waiting = waiting;
        this.process = process;
        this.log = log;
        replies = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        try {
            version = reply();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts a contender.
     *
     * @param folder where its log goes
     * @throws CellFuseException when its library doesn't run here
     */
    static WorkerProcess start(Contender contender, Settings settings, Path folder) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(javaOptions());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Worker.class.getName(), contender.key()));
        command.addAll(List.of(
                settings.task().name(),
                Integer.toString(settings.threads()),
                settings.waiting().name(),
                settings.device(),
                Double.toString(settings.tuning()),
                settings.tuned().toString()));
        settings.voiceModel().ifPresent(file -> command.add(file.toString()));
        Path log = folder.resolve(contender.key() + "-" + settings.waiting().key() + ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
        environment(builder.environment(), settings);
        try {
            return new WorkerProcess(contender, settings.waiting(), builder.start(), log);
        } catch (IOException e) {
            throw new CellFuseException(contender.title() + ": its process can't be started: " + e.getMessage(), e);
        }
    }

    private static List<String> javaOptions() {
        List<String> options = new ArrayList<>(List.of(
                // No collector threads beside the contender's own; runs make next to no garbage.
                "-XX:+UseSerialGC",
                "-XX:MaxDirectMemorySize=16g",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                // JavaCPP would otherwise collect garbage, or refuse, by its own idea of how much memory a process may
                // take.
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dorg.bytedeco.javacpp.maxBytes=0",
                // PyTorch's native parts are on the class path: nothing is downloaded.
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true"));
        // The java device's vectors, as this process has them.
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
            options.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        // Where the libraries unpack their native parts.
        String cache = System.getProperty("cellfuse.bench.cache");
        if (cache != null) {
            options.add("-DDJL_CACHE_DIR=" + cache);
            options.add("-DENGINE_CACHE_DIR=" + cache);
            options.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
        }
        return options;
    }

    private static void environment(Map<String, String> environment, Settings settings) {
        environment.keySet().removeIf(name -> CLEARED.stream().anyMatch(name::startsWith));
        environment.put("OMP_NUM_THREADS", Integer.toString(settings.threads()));
        environment.put("POCL_MAX_PTHREAD_COUNT", Integer.toString(settings.threads()));
        if (settings.waiting() == Waiting.SLEEP) {
            environment.put("OMP_WAIT_POLICY", "passive");
            environment.put("GOMP_SPINCOUNT", "0");
            environment.put("KMP_BLOCKTIME", "0");
        }
    }

    Contender contender() {
        return contender;
    }

    /** Returns what its threads do between the pieces of a run. */
    Waiting waiting() {
        return waiting;
    }

    /** Returns the library's version. */
    String version() {
        return version;
    }

    /** Sends a command and waits for its answer. */
    String ask(String command) {
        commands.println(command);
        return reply();
    }

    /** Sends a command that is answered by a number. */
    double askNumber(String command) {
        return Double.parseDouble(ask(command));
    }

    /** Returns the processor time that the process has used so far, of all its threads. */
    Duration processorTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private String reply() {
        try {
            String line = replies.readLine();
            while (line != null && !line.startsWith(Worker.REPLY)) {
                line = replies.readLine();
            }
            if (line == null) {
                process.waitFor(5, TimeUnit.SECONDS);
                throw new CellFuseException(contender.title() + ": its process ended; its last words: " + lastWords());
            }
            String answer = line.substring(Worker.REPLY.length());
            if (answer.startsWith(Worker.ERROR)) {
                throw new CellFuseException(contender.title() + ": " + answer.substring(Worker.ERROR.length()));
            }
            return answer;
        } catch (IOException e) {
            throw new CellFuseException(contender.title() + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CellFuseException("interrupted", e);
        }
    }

    private String lastWords() throws IOException {
        List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
        List<String> last = lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size());
        return last.isEmpty() ? "none" : System.lineSeparator() + String.join(System.lineSeparator(), last);
    }

    /** Ends the process: by closing its input, or by force if that isn't enough. */
    @Override
    public void close() {
        commands.close();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
