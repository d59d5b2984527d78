package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.torch.PyTorchLstm;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The lines of Java in the README, run as they stand there. */
class ReadmeTest {
    @Test
    void theLinesInTheReadmeRun() {
        int rows = 240, steps = 36;
        float[] x = read("examples/sunspots/input.npy"), expected = read("examples/sunspots/expected_y.npy");
        // README:
        LstmModel model = PyTorchLstm.load(Path.of("examples/sunspots/model.safetensors"));
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
    void theyAreTheLinesInTheReadme() throws IOException {
        String readme = normalised(Files.readString(Path.of("README.md")));
        List<String> source = Files.readAllLines(Path.of("src/test/java/io/github/cellfuse/ReadmeTest.java"));
        int first = source.indexOf("        // README:") + 1, last = source.indexOf("            // :README");
        String lines = source.subList(first, last).stream().collect(Collectors.joining("\n"));
        assertTrue(readme.contains(normalised(lines)), "the README shows other lines than those that are tested here");
    }

    private static String normalised(String text) {
        return text.replaceAll("\\s+", " ");
    }

    private static float[] read(String file) {
        try (NpyArray array = NpyArray.open(Path.of(file))) {
            return array.readAll();
        }
    }
}
