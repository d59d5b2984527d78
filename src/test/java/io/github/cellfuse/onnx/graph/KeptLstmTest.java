package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every LSTM that stays in ONNX Runtime is named, with the reason. */
class KeptLstmTest {
    private static final int I = 3, H = 5;

    @TempDir
    Path folder;

    private static GraphProto.Builder graphOfX() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", I))
                .addOutput(floats("y"));
        weights(graph, "a", new Random(1), 1, I, H);
        return graph;
    }

    private static NodeProto foreign(String domain, String operator, String name, String output) {
        return node(operator, name, List.of("x", "a.W", "a.R"), List.of(output)).toBuilder()
                .setDomain(domain)
                .build();
    }

    private List<KeptLstm> kept(GraphProto.Builder graph, FunctionProto.Builder... functions) {
        ModelProto.Builder model = Protos.model(graph).toBuilder();
        for (String domain : List.of("own", "com.microsoft")) {
            model.addOpsetImport(
                    OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(1));
        }
        for (FunctionProto.Builder function : functions) {
            model.addFunctions(function);
        }
        try {
            Path path = Files.createTempFile(folder, "model", ".onnx");
            return OnnxModel.open(Files.write(path, model.build().toByteArray()))
                    .kept();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void quantizedLstms() {
        assertEquals(
                List.of(new KeptLstm("q", "its weights are quantized: DynamicQuantizeLSTM of com.microsoft")),
                kept(graphOfX().addNode(foreign("com.microsoft", "DynamicQuantizeLSTM", "q", "y"))));
    }

    @Test
    void lstmsOfOtherDomains() {
        GraphProto.Builder graph = graphOfX()
                .addNode(foreign("com.microsoft", "AttnLSTM", "attn", "p"))
                .addNode(foreign("own", "my_lstm_cell", "", "q"))
                .addNode(foreign("own", "DynamicQuantizeLSTM", "other", "r"))
                .addNode(foreign("own", "Gru", "gru", "s"))
                .addNode(node("Sum", "sum", List.of("p", "q", "r", "s"), List.of("y")));
        assertEquals(
                List.of(
                        new KeptLstm("attn", "it is AttnLSTM of com.microsoft, not ONNX's LSTM"),
                        new KeptLstm("q", "it is my_lstm_cell of own, not ONNX's LSTM"),
                        new KeptLstm("other", "it is DynamicQuantizeLSTM of own, not ONNX's LSTM")),
                kept(graph));
    }

    /** A body with an LSTM and a quantized one. */
    private static GraphProto.Builder body(String... inputs) {
        GraphProto.Builder body = GraphProto.newBuilder();
        for (String input : inputs) {
            body.addInput(floats(input));
        }
        return body.addNode(lstm("a", "x", H))
                .addNode(foreign("com.microsoft", "DynamicQuantizeLSTM", "q", "z"))
                .addNode(node("Add", "add", List.of("a.y", "z"), List.of("out")))
                .addOutput(floats("out"));
    }

    private static List<KeptLstm> both(String reason) {
        return List.of(
                new KeptLstm("a", reason),
                new KeptLstm("q", "its weights are quantized: DynamicQuantizeLSTM of com.microsoft"));
    }

    @Test
    void lstmsInTheBodyOfALoop() {
        GraphProto.Builder body = GraphProto.newBuilder()
                .addInput(value("i", ElementType.INT64))
                .addInput(value("go", ElementType.BOOL))
                .addOutput(value("went", ElementType.BOOL))
                .addNode(node("Identity", "id", List.of("go"), List.of("went")))
                .mergeFrom(body().build());
        GraphProto.Builder graph = graphOfX()
                .addInitializer(longs("count", 3))
                .addNode(node("Loop", "loop", List.of("count", ""), List.of("y"), graph("body", body)));
        assertEquals(both("it is in the body of Loop loop"), kept(graph));
    }

    @Test
    void lstmsInTheBodyOfAScan() {
        GraphProto.Builder graph = graphOfX()
                .addNode(node(
                        "Scan",
                        "scan",
                        List.of("x"),
                        List.of("y"),
                        graph("body", body("each")),
                        integer("num_scan_inputs", 1)));
        assertEquals(both("it is in the body of Scan scan"), kept(graph));
    }

    @Test
    void lstmsInTheBodyOfASequenceMap() {
        GraphProto.Builder graph = graphOfX()
                .addNode(node("SequenceConstruct", "list", List.of("x"), List.of("s")))
                .addNode(node("SequenceMap", "map", List.of("s"), List.of("t"), graph("body", body("each"))))
                .addNode(node("ConcatFromSequence", "concat", List.of("t"), List.of("y"), integer("axis", 0)));
        assertEquals(both("it is in the body of SequenceMap map"), kept(graph));
    }

    @Test
    void lstmsInFunctionsWhoseCallsStayAreNamedOnce() {
        // Inner would be replaced, but Outer imports another opset, so the call of Inner stays in it.
        FunctionProto.Builder inner = FunctionProto.newBuilder()
                .setDomain("own")
                .setName("InnerLstm")
                .addInput("x")
                .addInput("a.W")
                .addInput("a.R")
                .addInput("a.B")
                .addOutput("out")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(Protos.OPSET))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain("com.microsoft")
                        .setVersion(1))
                .addAllNode(body().getNodeList());
        FunctionProto.Builder outer = inner.clone()
                .setName("Outer")
                .clearNode()
                .addNode(node("Neg", "neg", List.of("x"), List.of("n")))
                .addNode(node("InnerLstm", "call", List.of("n", "a.W", "a.R", "a.B"), List.of("out")).toBuilder()
                        .setDomain("own"));
        outer.getOpsetImportBuilder(0).setVersion(13);
        GraphProto.Builder graph = graphOfX();
        for (String name : List.of("p", "q")) {
            graph.addNode(node("Outer", name, List.of("x", "a.W", "a.R", "a.B"), List.of(name)).toBuilder()
                    .setDomain("own"));
        }
        graph.addNode(node("Add", "add", List.of("p", "q"), List.of("y")));
        assertEquals(
                both("it is in function 'own.Outer', which imports opset 13 of ai.onnx where the model imports 14"),
                kept(graph, inner, outer));
    }
}
