package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.model;
import static io.github.cellfuse.onnx.Graphs.node;
import static io.github.cellfuse.onnx.Graphs.value;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nodes that ONNX's definitions of the operators forbid are refused when a model is opened. */
class OperatorCheckTest {
    private static final Path NAME = Path.of("model.onnx");

    private static void open(NodeProto.Builder node, long opset) {
        GraphProto.Builder graph = graph(List.of("x", "w"), List.of("x"))
                .addInput(value("i", DataType.INT64_VALUE))
                .addInput(value("half", DataType.FLOAT16_VALUE))
                .addInput(value("choice", DataType.BOOL_VALUE))
                .addNode(node);
        OnnxFile.of(
                NAME,
                model(graph, opset).toBuilder()
                        .addOpsetImport(OperatorSetIdProto.newBuilder()
                                .setDomain("ai.onnx.ml")
                                .setVersion(3))
                        .build());
    }

    private static void refused(NodeProto.Builder node, long opset, String message) {
        assertRefused(() -> open(node, opset), "model.onnx: node 0 (" + node.getOpType() + "): " + message);
    }

    @Test
    void nodesHaveTheInputsAndOutputsOfTheirOperator() {
        refused(node("Transpose", List.of(), "y"), 13, "expected 1 input, found 0");
        refused(node("Transpose", List.of("x", "x"), "y"), 13, "expected 1 input, found 2");
        refused(node("Constant", List.of(), "y", "z"), 13, "expected 1 output, found 2");
        refused(node("Transpose", List.of("x")), 13, "expected 1 output, found 0");
        refused(node("Transpose", List.of(""), "y"), 13, "input data: expected a name, found an empty one");
        refused(node("Reshape", List.of("x"), "y"), 13, "expected 2 inputs, found 1");
        refused(node("Reshape", List.of("x", "i"), "y"), 1, "expected 1 input, found 2");
        refused(node("LSTM", List.of("x", "w"), "y"), 14, "expected 3 to 8 inputs, found 2");
        refused(node("LSTM", List.of("x", "w", "w"), "a", "b", "c", "d"), 14, "expected 0 to 3 outputs, found 4");
        refused(node("LSTM", List.of("x", "", "w"), "a"), 14, "input W: expected a name, found an empty one");
        refused(node("Concat", List.of(), "y").addAttribute(attribute("axis", 0)), 13, "expected 1 or more inputs");
        refused(
                node("Concat", List.of("x", ""), "y").addAttribute(attribute("axis", 0)),
                13,
                "input inputs: expected a name, found an empty one");
        refused(node("Slice", List.of("x"), "y"), 13, "expected 3 to 5 inputs, found 1");
        refused(node("If", List.of(), "y"), 13, "expected 1 input, found 0");
        refused(node("Loop", List.of("i"), "y"), 13, "expected an attribute body, found none");
        assertDoesNotThrow(() -> open(node("Clip", List.of("x", "", "x"), "y"), 13));
        assertDoesNotThrow(() -> open(node("LSTM", List.of("x", "w", "w"), "", "h"), 14));
    }

    @Test
    void nodesHaveTheAttributesOfTheirOperator() {
        refused(
                node("Transpose", List.of("x"), "y").addAttribute(attribute("perm", 1)),
                13,
                "attribute perm: expected type INTS, found INT");
        refused(
                node("Transpose", List.of("x"), "y").addAttribute(attribute("axes", 1)),
                13,
                "attribute 'axes': expected one of opset 13, found an unknown attribute");
        refused(
                node("LSTM", List.of("x", "w", "w"), "y").addAttribute(attribute("layout", 1)),
                7,
                "attribute 'layout': expected one of opset 7, found an unknown attribute");
        refused(
                node("LSTM", List.of("x", "w", "w"), "y").addAttribute(attribute("direction", 1)),
                14,
                "attribute direction: expected type STRING, found INT");
        refused(node("Cast", List.of("x"), "y"), 13, "expected an attribute to, found none");
        refused(
                node("Concat", List.of("x"), "y")
                        .addAttribute(attribute("axis", 0))
                        .addAttribute(attribute("axis", 1)),
                13,
                "attribute axis: expected one of this name, found two");
        refused(node("If", List.of("choice"), "y"), 13, "expected an attribute else_branch, found none");
        refused(node("Upsample", List.of("x", "w"), "y"), 10, "expected an operator of opset 10, found one that");
        // Models of the first format version have attributes without a type.
        assertDoesNotThrow(() -> open(
                node("Softmax", List.of("x"), "y")
                        .addAttribute(attribute("axis", 1).toBuilder().clearType()),
                13));
    }

    @Test
    void valuesHaveTheTypesThatTheirOperatorTakes() {
        refused(node("Add", List.of("x", "i"), "y"), 13, "input B ('i'): expected tensor(float) like the inputs");
        refused(node("LSTM", List.of("x", "w", "half"), "y"), 14, "input R ('half'): expected tensor(float) like");
        refused(
                node("LSTM", List.of("i", "i", "i"), "y"),
                14,
                "input X ('i'): expected tensor(double) or tensor(float) or tensor(float16), found tensor(int64)");
        refused(
                node("LSTM", List.of("x", "w", "w", "", "i"), "y"),
                14,
                "input sequence_lens ('i'): expected tensor(int32), found tensor(int64)");
        refused(node("Reshape", List.of("x", "w"), "y"), 13, "input shape ('w'): expected tensor(int64), found");
        assertDoesNotThrow(() -> open(node("Gather", List.of("half", "i"), "y"), 13));
        assertDoesNotThrow(() -> open(node("Where", List.of("choice", "x", "w"), "y"), 13));
    }

    @Test
    void typesAreFollowedThroughNodesAndSubgraphs() {
        GraphProto.Builder graph = graph(List.of("x"), List.of())
                .addOutput(value("y", DataType.FLOAT_VALUE))
                .addNode(node("Shape", List.of("x"), "s"))
                .addNode(node("Cast", List.of("s"), "c").addAttribute(attribute("to", DataType.FLOAT16_VALUE)))
                .addNode(node("Identity", List.of("c"), "y"));
        assertRefused(
                () -> OnnxFile.of(NAME, model(graph, 13)),
                "model.onnx: output 'y': expected the type that the graph computes, tensor(float16), found"
                        + " tensor(float)");
        GraphProto.Builder branch = graph(List.of(), List.of("z"))
                .addNode(node("Add", List.of("x", "s"), "z").setName("sum"));
        GraphProto.Builder outer = graph(List.of("x"), List.of("x"))
                .addInput(value("choice", DataType.BOOL_VALUE))
                .addNode(node("Shape", List.of("x"), "s"))
                .addNode(node("If", List.of("choice"), "r")
                        .addAttribute(attribute("then_branch", branch))
                        .addAttribute(attribute("else_branch", branch)));
        assertRefused(
                () -> OnnxFile.of(NAME, model(outer, 13)),
                "model.onnx: node 1 (If), then_branch: node 'sum' (Add): input B ('s'): expected tensor(float) like the"
                        + " inputs before it, found tensor(int64)");
    }

    @Test
    void otherOperatorsAreLeftAlone() {
        assertDoesNotThrow(() -> open(node("Transpose", List.of()).setDomain("ai.onnx.ml"), 13));
        assertDoesNotThrow(() -> open(node("NotYetInvented", List.of("x"), "y"), 13));
        // A later opset may add inputs and attributes, but it takes none away.
        long later = OperatorTable.newest() + 1;
        assertDoesNotThrow(() ->
                open(node("Transpose", List.of("x", "i"), "y").addAttribute(attribute("later", 1)), later));
        refused(node("Transpose", List.of(), "y"), later, "expected 1 or more inputs, found 0");
    }

    @Test
    void namesAndDomainsAreChecked() {
        GraphProto.Builder graph = graph(List.of("x"), List.of("x"))
                .addNode(node("Relu", List.of("x"), "a").setName("same"))
                .addNode(node("Relu", List.of("x"), "b").setName("same"));
        assertRefused(
                () -> OnnxFile.of(NAME, model(graph, 13)),
                "model.onnx: node 'same' (Relu): expected a name of its own, found another node of this name");
        refused(
                node("Relu", List.of("x"), "y").setDomain("com.example"),
                13,
                "domain 'com.example': expected one that the model imports, found none of this name");
        refused(node("Constant", List.of(), "y"), 13, "expected one attribute, the value, found 0");
    }

    @Test
    void theTableHasEveryVersion() {
        assertEquals(1, OperatorTable.find("LSTM", 6).orElseThrow().since());
        assertEquals(14, OperatorTable.find("LSTM", 21).orElseThrow().since());
        assertEquals(22, OperatorTable.find("LSTM", 1000).orElseThrow().since());
        assertEquals(
                3,
                OperatorVersion.least(
                        OperatorTable.find("LSTM", 14).orElseThrow().inputs()));
    }
}
