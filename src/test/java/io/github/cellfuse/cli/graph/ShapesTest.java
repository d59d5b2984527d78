package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.graph.Protos;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.graph.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code info --shape} and {@code run} with LSTMs in branches that the shapes of the inputs choose. */
class ShapesTest {
    private static final int I = 3, H = 4;

    @TempDir
    Path folder;

    /** More than five along an axis of x [time, batch, 3] take one LSTM, and fewer the other. */
    private Path model(long axis) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", I))
                .addOutput(floats("y", "time", 1, "batch", H))
                .addInitializer(constant("axis", Tensor.of(new long[] {axis})))
                .addInitializer(constant("five", Tensor.of(new long[] {5})))
                .addNode(node("Shape", "shape", List.of("x"), List.of("dims")))
                .addNode(node("Gather", "gather", List.of("dims", "axis"), List.of("size")))
                .addNode(node("Greater", "greater", List.of("size", "five"), List.of("is")))
                .addNode(node(
                        "If",
                        "if",
                        List.of("is"),
                        List.of("y"),
                        graph("then_branch", branch("more", 1)),
                        graph("else_branch", branch("fewer", 2))));
        return Protos.write(folder, graph);
    }

    private static GraphProto.Builder branch(String name, int seed) {
        GraphProto.Builder branch = GraphProto.newBuilder().addOutput(floats(name + ".y"));
        weights(branch, name, new Random(seed), 1, I, H);
        return branch.addNode(lstm(name, "x", H));
    }

    private static String info(Path model, Object... shape) {
        Object[] arguments = new Object[2 + shape.length];
        arguments[0] = "info";
        arguments[1] = model;
        System.arraycopy(shape, 0, arguments, 2, shape.length);
        return Cli.run(arguments).assertDone().out();
    }

    @Test
    void infoResolvesWhatShapesDecide() {
        Path model = model(0);
        String undecided = "LSTM more runs in ONNX Runtime: it is in a branch of If if, whose condition depends on the"
                + " shapes of the inputs";
        for (String open : List.of(info(model), info(model, "--shape", "x=?,2,3"), info(model, "--shape", "x=?,?,?"))) {
            assertTrue(open.contains(undecided), open);
            assertTrue(open.contains("LSTMs          none for the device"), open);
        }
        String more = info(model, "--shape", "x=6,?,3"), fewer = info(model, "--shape", "x=5,2,?");
        assertTrue(more.contains("device: LSTM more\n") && !more.contains("fewer"), more);
        assertTrue(fewer.contains("device: LSTM fewer\n") && !fewer.contains("more"), fewer);
        // The rows are the other axis, and of any number.
        assertTrue(fewer.contains("axis 1 of x -> 2 of y"), fewer);
        JsonObject json = JsonParser.parseString(info(model, "--shape", "x=6,?,3", "--json"))
                .getAsJsonObject();
        assertEquals(
                "[\"more\"]",
                json.getAsJsonArray("parts")
                        .get(0)
                        .getAsJsonObject()
                        .get("lstms")
                        .toString());
        assertEquals(
                "{\"inputs\":{\"x\":1},\"outputs\":{\"y\":2},\"fewest_rows\":1}",
                json.get("row_axes").toString());
        JsonObject whole = JsonParser.parseString(info(model(1), "--json")).getAsJsonObject();
        assertTrue(whole.get("row_axes") == null || whole.get("row_axes").isJsonNull(), whole::toString);
        assertTrue(
                whole.get("one_piece_because").getAsString().contains("chooses a branch by the number of rows"),
                whole::toString);
    }

    @Test
    void shapesThatDoNotFit() {
        Path model = model(0);
        Object[][] cases = {
            {"x=6,2", "--shape: expected a shape of input 'x', float32 [time, batch, 3], found [6, 2]"},
            {"x=6,?,4", "--shape: expected a shape of input 'x', float32 [time, batch, 3], found [6, ?, 4]"},
            {"z=6", "--shape: expected an input of " + model + ", one of x, found 'z'"},
            {"x", "--shape: expected NAME=SIZE,SIZE,... with ? for any size, found 'x'"},
            {"x=6,-1,3", "--shape: expected NAME=SIZE,SIZE,... with ? for any size, found 'x=6,-1,3'"},
        };
        for (Object[] one : cases) {
            Cli.run("info", model, "--shape", one[0]).assertError(2, one[1]);
        }
        Cli.run("info", model, "--shape", "x=6,2,3", "--shape", "x=7,2,3").assertError(2, "--shape given twice for x");
        Cli.run("info", "examples/sunspots/model.safetensors", "--shape", "x=1")
                .assertError(2, "--shape applies to .onnx models only");
    }

    /** What a run says is what this run did. */
    @Test
    void runSaysWhatTheShapesChose() throws IOException {
        for (int steps : new int[] {4, 8}) {
            GraphRun run = new GraphRun(folder, model(0), Map.of("x", Tensors.random(new Random(steps), steps, 4, I)));
            run.assertSameInPieces(1, 2, 3);
            String said = run.run().said(), lstm = steps > 5 ? "more" : "fewer";
            assertTrue(said.contains("cellfuse: LSTM " + lstm + ": java: "), said);
            assertFalse(said.contains("ONNX Runtime"), said);
            assertTrue(said.contains("4 rows in 1 chunk"), said);
        }
    }

    /** The number of rows chooses the LSTM, so that a chunk would take the wrong one. */
    @Test
    void aBranchThatTheNumberOfRowsChooses() throws IOException {
        GraphRun run = new GraphRun(folder, model(1), Map.of("x", Tensors.random(new Random(9), 3, 7, I)));
        run.assertSameInPieces();
        assertTrue(run.run().said().contains("cellfuse: LSTM more: java: "));
        run.assertRefused(
                List.of("--batch", 2),
                "with rows along axis 1 of x, node 'if' (If) chooses a branch by the number of rows");
        String said = run.run("--rows", "x=1", "--batch", 4).said();
        assertTrue(said.contains("7 rows in 2 chunks of up to 4 rows"), said);
        assertEquals(
                1,
                said.lines().filter(line -> line.contains("taking your word")).count(),
                said);
    }
}
