package io.github.cellfuse.cli.verify;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.opencl.engine.LooseKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cellfuse verify} on whole graphs: each LSTM on the batch that it gets there. */
class VerifyGraphTest {
    private static final int T = 6, N = 4, I = 3, H = 5;

    @TempDir
    Path folder;

    private final Random random = new Random(7);

    /** Two LSTMs with other nodes around and between them: x [T,N,I], y [T,N,H]. */
    private Path model() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", T, "batch", I))
                .addOutput(floats("y", T, "batch", H))
                .addInitializer(longs("one", 1));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        graph.addNode(node("Neg", "neg", List.of("x"), List.of("xn")))
                .addNode(lstm("a", "xn", H))
                .addNode(node("Squeeze", "sa", List.of("a.y", "one"), List.of("za")))
                .addNode(node("Relu", "relu", List.of("za"), List.of("ra")))
                .addNode(lstm("b", "ra", H))
                .addNode(node("Squeeze", "sb", List.of("b.y", "one"), List.of("y")));
        return Protos.write(folder, graph);
    }

    private Path input() {
        return NpyFiles.floats(folder.resolve("x.npy"), RandomLstm.values(random, T * N * I, 2), T, N, I);
    }

    @Test
    void eachLstmIsVerifiedOnWhatItGets() {
        Path model = model(), x = input();
        for (Object[] inputs : new Object[][] {{x}, {"--input", "x=" + x}}) {
            Object[] command = new Object[inputs.length + 2];
            command[0] = "verify";
            command[1] = model;
            System.arraycopy(inputs, 0, command, 2, inputs.length);
            String out = Cli.run(command).assertDone().out();
            assertTrue(out.contains("part 0 (a): 4 rows of 6 steps"), out);
            assertTrue(out.contains("part 1 (b): 4 rows of 6 steps"), out);
            assertEquals(
                    2,
                    out.lines()
                            .filter(line -> line.startsWith("verified: every bit"))
                            .count(),
                    out);
        }
        String other = Cli.run("verify", model, x, "--part", 1, "--case", "linear")
                .assertDone()
                .out();
        assertTrue(other.contains("part 1 (b), linear: 4 rows"), other);
        assertFalse(other.contains("part 0"), other);
    }

    @Test
    void aFaultIsNamedWithItsPart() throws IOException {
        Path model = model(), x = input();
        Path kernels = Files.createDirectory(folder.resolve("kernels"));
        LooseKernels.with(kernels, "lstm_cell.cl", "floatv o = sigmoid(ao);", "floatv o = sigmoid(ao + 1.0f);", () -> {
            Cli.Result found = Cli.run("verify", model, "--input", "x=" + x, "--device", "opencl");
            assertEquals(1, found.exit(), found.out());
            assertTrue(found.out().contains("first fault: layer 0, direction 0, step 0, row 0, unit 0: o is "));
            assertTrue(
                    found.out()
                            .lines()
                            .anyMatch(line -> line.startsWith(
                                            "  to repeat: cellfuse verify " + model + " --part 1 --device opencl:")
                                    && line.endsWith(" --input x=" + x + " --layer 0")),
                    found.out());
        });
    }

    @Test
    void whatDoesNotApplyIsRefused() {
        Path model = model(), x = input();
        Cli.run("verify", model, x, "--part", 2).assertError(2, "--part", "0 to 1", "2");
        Cli.run("verify", model, x, "--shape", "2,3").assertError(2, "--shape");
        Cli.run("verify", model, x, "--layer", "1").assertError(2, "--layer", "0 to 0");
        Cli.run("verify", model, x, "--case", "nan").assertError(2, "nan");
        Cli.run("verify", model, "--input", "z=" + x).assertError(2, "--input", "'z'");
        Cli.run("verify", model).assertError(2, "x");
        Path bare = Path.of("examples", "sunspots", "model.safetensors");
        Cli.run("verify", bare, "--part", 0).assertError(2, "--part", "model.safetensors");
        Cli.run("verify", bare, "--input", "x=" + x).assertError(2, "--input", "model.safetensors");
    }
}
