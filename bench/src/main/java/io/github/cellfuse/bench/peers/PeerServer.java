package io.github.cellfuse.bench.peers;

import static io.github.cellfuse.bench.peers.ChildProcess.ERROR;
import static io.github.cellfuse.bench.peers.ChildProcess.REPLY;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.Shape;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * The other end of a {@link ChildProcess}: answers each command, a line on standard input, with one line on standard
 * output; native libraries may print other lines. It ends when its input ends, so it never outlives its parent.
 */
final class PeerServer {
    /** A loop that is timed or warmed up runs at least as often. */
    private static final int LEAST_RUNS = 3;

    private final Peer peer;
    private ContestProblem problem;

    private PeerServer(Peer peer) {
        this.peer = peer;
    }

    /** Opens a library, answers its version or why it doesn't run here, and then serves until the input ends. */
    static void serve(Supplier<Peer> opener) throws IOException {
        PrintStream replies = System.out;
        System.setOut(System.err); // what libraries print doesn't belong between the answers
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Peer peer;
        try {
            peer = opener.get();
            replies.println(REPLY + oneLine(peer.version()));
        } catch (RuntimeException | LinkageError e) {
            e.printStackTrace();
            replies.println(REPLY + ERROR + oneLine(reason(e)));
            return;
        }
        try (peer) {
            PeerServer server = new PeerServer(peer);
            for (String line = commands.readLine(); line != null; line = commands.readLine()) {
                replies.println(REPLY + server.answer(line));
            }
        }
    }

    private String answer(String line) {
        String[] words = line.split(" ", 2);
        String argument = words.length > 1 ? words[1] : "";
        try {
            return switch (words[0]) {
                case "prepare" -> prepare(Shape.parse(argument));
                case "save" -> save(Path.of(argument));
                case "check" -> number(check(Path.of(argument)));
                case "warm" -> number(warm(Double.parseDouble(argument)));
                case "turn" -> number(turn(Integer.parseInt(argument)));
                case "rest" -> number(Rest.await());
                case "peak" -> number(peer.peak());
                default -> ERROR + "unknown command " + line;
            };
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            e.printStackTrace();
            return ERROR + oneLine(reason(e));
        }
    }

    private String prepare(Shape shape) {
        problem = ContestProblem.random(shape);
        peer.prepare(problem);
        peer.run();
        System.gc(); // the last problem's direct buffers, which are the largest things here
        return oneLine(peer.plan());
    }

    /** Writes y for the others to compare with: raw floats in this machine's order. */
    private String save(Path file) {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            FloatBuffer y = peer.output();
            channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) y.limit() * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .put(y.duplicate().rewind());
            return "saved";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the largest difference between y and what is in {@code file}. */
    private double check(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            FloatBuffer expected = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
            return Statistics.largestDifference(expected, peer.output());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs for so many seconds, so that the JIT and the library's own caches settle. Returns the time of the last run.
     */
    private double warm(double seconds) {
        long start = System.nanoTime();
        double last = 0;
        for (int runs = 0; runs < LEAST_RUNS || (System.nanoTime() - start) * 1e-9 < seconds; runs++) {
            last = time(1);
        }
        return last;
    }

    /** Seconds a run, over {@code runs} runs. */
    private double turn(int runs) {
        // Untimed: brings back into the caches what the others have driven out, and wakes the threads.
        peer.run();
        return time(runs);
    }

    private double time(int runs) {
        long start = System.nanoTime();
        for (int run = 0; run < runs; run++) {
            peer.run();
        }
        return (System.nanoTime() - start) * 1e-9 / runs;
    }

    /** Returns what is wrong; the project's own messages say it without the name of a class. */
    private static String reason(Throwable e) {
        return e instanceof CellFuseException ? e.getMessage() : e.toString();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%s", value);
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s*\\R\\s*", " ");
    }
}
