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
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process that measures: it answers each line of its input by one line that begins with {@link #REPLY}. Its first
 * answer, without a question, is the version of its library. Not thread safe.
 */
public class ChildProcess implements AutoCloseable {
    /** Before every answer; other lines are what a library prints. */
    public static final String REPLY = "@cellfuse ";
    /** Begins an answer that reports an error. */
    public static final String ERROR = "error ";

    private static final int LOG_LINES = 15;

    private final String title;
    private final Process process;
    private final BufferedReader replies;
    private final PrintStream commands;
    private final Path log;
    private final String version;

    /**
     * Starts a process and waits for its first answer.
     *
     * @param title the library's name, for people
     * @param builder the command and its environment
     * @param log the file for what the process writes to its standard error
     * @throws CellFuseException when it can't be started, or its library doesn't run here
     */
    public ChildProcess(String title, ProcessBuilder builder, Path log) {
        this.title = title;
        this.log = log;
        try {
            process = builder.redirectError(log.toFile()).start();
        } catch (IOException e) {
            throw new CellFuseException(title + ": its process can't be started: " + e.getMessage(), e);
        }
        replies = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        commands = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        try {
            version = reply();
        } catch (RuntimeException e) {
            end();
            throw e;
        }
    }

    /** Returns the library's version. */
    public String version() {
        return version;
    }

    /** Sends a command and waits for its answer. */
    public String ask(String command) {
        commands.println(command);
        return reply();
    }

    /** Sends a command that is answered by a number. */
    public double askNumber(String command) {
        String answer = ask(command);
        try {
            return Double.parseDouble(answer);
        } catch (NumberFormatException e) {
            throw new CellFuseException(
                    title + ": expected a number in answer to '" + command + "', found '" + answer + "'", e);
        }
    }

    /** Returns the processor time that the process has used so far, of all its threads. */
    Duration processorTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    private String reply() {
        try {
            String line = replies.readLine();
            while (line != null && !line.startsWith(REPLY)) {
                line = replies.readLine();
            }
            if (line == null) {
                process.waitFor(5, TimeUnit.SECONDS);
                throw new CellFuseException(title + ": its process ended; its last words: " + lastWords());
            }
            String answer = line.substring(REPLY.length());
            if (answer.startsWith(ERROR)) {
                throw new CellFuseException(title + ": " + answer.substring(ERROR.length()));
            }
            return answer;
        } catch (IOException e) {
            throw new CellFuseException(title + ": " + e.getMessage(), e);
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
        end();
    }

    private void end() {
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
