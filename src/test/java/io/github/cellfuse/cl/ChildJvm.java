package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A second JVM with the tests' class path: for what is decided once per process, such as the OpenCL loader. */
public final class ChildJvm {
    /** What it wrote, and how it ended. */
    public record Result(int exit, String out, String err) {}

    private final Process process;
    private final Path out;
    private final Path err;

    private ChildJvm(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** Starts it; a null value removes a variable from its environment. */
    public static ChildJvm start(
            Map<String, String> environment, List<String> options, Class<?> main, String... arguments)
            throws IOException {
        return startOn(System.getProperty("java.class.path"), environment, options, main, arguments);
    }

    /** Starts it with another class path. */
    public static ChildJvm startOn(
            String classPath, Map<String, String> environment, List<String> options, Class<?> main, String... arguments)
            throws IOException {
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of("-cp", classPath, main.getName()));
        return start(environment, all, arguments);
    }

    /** Starts {@code module/class} with a module path and no class path. */
    public static ChildJvm startModule(
            Map<String, String> environment, String modulePath, String main, String... arguments) throws IOException {
        return start(environment, List.of("--module-path", modulePath, "-m", main), arguments);
    }

    private static ChildJvm start(Map<String, String> environment, List<String> options, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx256m");
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(options);
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile("child", ".out");
        Path err = Files.createTempFile("child", ".err");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        environment.forEach((name, value) -> {
            if (value == null) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return new ChildJvm(builder.start(), out, err);
    }

    static Result run(Map<String, String> environment, List<String> options, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        return start(environment, options, main, arguments).await();
    }

    /** Ends it as the loss of power would end its process, without a chance to do anything. */
    public void kill() {
        process.destroyForcibly();
    }

    /** Ends it as Ctrl-C would. */
    public void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    /** Returns whether it has ended. */
    public boolean hasEnded() {
        return !process.isAlive();
    }

    Result await() throws IOException, InterruptedException {
        return await(120);
    }

    /** Waits for its end, for {@code seconds} at most. */
    public Result await(int seconds) throws IOException, InterruptedException {
        try {
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                throw new AssertionError(
                        "the child is still running after " + seconds + " s: " + text(out) + text(err));
            }
            return new Result(process.exitValue(), text(out), text(err));
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
