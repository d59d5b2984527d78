package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows: its lines of Java, and its commands. */
class ReadmeTest {
    private static final Path README = Path.of("README.md"), HELLO = Path.of("examples/Hello.java");

    @TempDir
    static Path temporary;

    @Test
    void theLinesOfJavaRun() {
        int rows = 240, steps = 36;
        float[] x = read("examples/sunspots/input.npy"), expected = read("examples/sunspots/expected_y.npy");
        // README:
        LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
        try (LstmEngine engine = LstmEngine.open(model);
                LstmSession session = engine.newSession()) {
            LstmInput batch = LstmInput.batchMajor(x, rows, steps); // x: float[rows * steps * model.inputSize()]
            LstmOutput result = session.run(batch);
            FloatBuffer y = result.y(); // [rows, steps, model.outputSize()]
            float[] c = result.finalState().c(); // [layers * directions, rows, hidden]
            // :README
            assertEquals(2 * rows * 32, c.length);
            for (int k = 0; k < expected.length; k++) {
                assertEquals(expected[k], y.get(k), 1e-5f);
            }
        }
    }

    @Test
    void theLinesAboutStreamsRun() {
        float[] tenSteps = new float[2 * 10 * 2];
        try (LstmEngine engine = LstmEngine.open(ModelFiles.read(Path.of("examples/sunspots/model.safetensors")));
                LstmSession session = engine.newSession()) {
            // STREAMS:
            LstmStreams streams = session.newStreams();
            int a = streams.add(), b = streams.add();
            FloatBuffer piece = streams.run(LstmInput.batchMajor(tenSteps, 2, 10), a, b); // [2, 10, outputSize]
            // :STREAMS
            assertEquals(2 * 10 * 32, piece.limit());
        }
    }

    @Test
    void theyAreTheLinesInTheReadmeAndInTheExample() throws IOException {
        for (Path file : List.of(README, HELLO)) {
            assertShows(file, "README");
        }
        assertShows(README, "STREAMS");
    }

    private static void assertShows(Path file, String mark) throws IOException {
        List<String> source = Files.readAllLines(Path.of("src/test/java/io/github/cellfuse/ReadmeTest.java"));
        List<String> stripped = source.stream().map(String::strip).toList();
        int first = stripped.indexOf("// " + mark + ":") + 1, last = stripped.indexOf("// :" + mark);
        String lines = source.subList(first, last).stream().collect(Collectors.joining("\n"));
        assertTrue(
                normalized(Files.readString(file)).contains(normalized(lines)),
                file + " shows other lines than those that are tested here: " + mark);
    }

    /** Each command that the README shows, as written but for the folder of its output. {@code bin/test} is running. */
    @TestFactory
    Stream<DynamicTest> itsCommandsRun() throws IOException {
        List<String> commands = commands();
        assertTrue(commands.size() >= 8, "found only " + commands);
        return commands.stream().map(command -> DynamicTest.dynamicTest(command, () -> assertRuns(command)));
    }

    private static List<String> commands() throws IOException {
        return Files.readAllLines(README).stream()
                .filter(line -> line.startsWith("bin/cellfuse "))
                .toList();
    }

    private static void assertRuns(String command) {
        List<String> words = Stream.of(command.split(" "))
                .skip(1)
                .map(word -> word.startsWith("/tmp/")
                        ? temporary.resolve(word.substring("/tmp/".length())).toString()
                        : word)
                .collect(Collectors.toList());
        if (List.of("bench", "tune").contains(words.get(0))) {
            // A minute of measuring, and a file for later runs: that their options are right is enough here.
            words.add("--help");
        }
        Cli.run(words.toArray()).assertDone();
    }

    private static String normalized(String text) {
        return text.replaceAll("\\s+", " ");
    }

    private static float[] read(String file) {
        try (NpyArray array = NpyArray.open(Path.of(file))) {
            return array.readAll();
        }
    }
}
