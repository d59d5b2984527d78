package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.numbers;
import static io.github.cellfuse.onnx.Graphs.texts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OrtException;
import io.github.cellfuse.Device;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where ONNX Runtime departs from the specification, or the specification is silent, and what is done here: the table
 * in {@code docs/onnx.md}, line by line. Nodes of one feature and one unit, whose rows are a step each.
 */
class OnnxRuntimeDifferencesTest {
    private static final double CLOSE = 1e-6;

    @TempDir
    Path folder;

    /** Gates of 1 and a hidden state that is the cell state where that is positive, around the candidate's function. */
    private static final List<AttributeProto> OPEN = List.of(numbers("activation_beta", 1f));

    private static NodeProto.Builder node(AttributeProto... attributes) {
        return Graphs.node("LSTM", List.of("x", "W", "R"), "", "y_h", "y_c")
                .addAttribute(attribute("hidden_size", 1))
                .addAllAttribute(List.of(attributes));
    }

    /** A node that gives {@code function} of x, where that is positive. */
    private static NodeProto.Builder candidate(String function, Float... alphas) {
        List<Float> all = new ArrayList<>(List.of(0f));
        all.addAll(List.of(alphas));
        return node(
                        texts("activations", "Affine", function, "Relu"),
                        numbers("activation_alpha", all.toArray(Float[]::new)))
                .addAllAttribute(OPEN);
    }

    private static ModelProto model(NodeProto.Builder node) {
        List<String> floats = List.of("x", "h0", "c0");
        GraphProto.Builder graph = Graphs.graph(
                        node.getInputList().stream().filter(floats::contains).toList(),
                        node.getOutputList().stream()
                                .filter(name -> !name.isEmpty())
                                .toList())
                .addInitializer(Graphs.floats("W", new float[] {1, 1, 1, 1}, 1, 4, 1))
                .addInitializer(Graphs.floats("R", new float[4], 1, 4, 1))
                .addInitializer(Graphs.floats("B", new float[8], 1, 8))
                .addNode(node);
        if (node.getInputList().contains("lens")) {
            graph.addInput(Graphs.value("lens"));
            graph.getInputBuilder(graph.getInputCount() - 1)
                    .getTypeBuilder()
                    .getTensorTypeBuilder()
                    .setElemType(TensorType.INT32.code());
        }
        return Graphs.model(graph, 14);
    }

    private static OperatorInputs rows(float... x) {
        return new OperatorInputs(1, x.length, x, null, null, null);
    }

    private static OperatorOutputs onnxRuntime(ModelProto model, OperatorInputs given) throws OrtException {
        try (OnnxRuntimeLstm ort = new OnnxRuntimeLstm(model, 1, 1, 1)) {
            return ort.run(given);
        }
    }

    /** Here: {@code java} and {@code reference}, which agree. */
    private OperatorOutputs here(ModelProto proto, OperatorInputs given) {
        OperatorModel model = read(proto);
        OperatorOutputs found = model.run(Device.JAVA, given);
        assertArrayEquals(model.run(Device.REFERENCE, given).all(), found.all(), CLOSE);
        return found;
    }

    private OperatorModel read(ModelProto proto) {
        return new OperatorModel(folder.resolve("model.onnx"), proto);
    }

    private void assertH(NodeProto.Builder node, float x, double onnxRuntime, double here) throws OrtException {
        double close = CLOSE * (Double.isFinite(here) ? Math.max(1, Math.abs(here)) : 1);
        assertEquals(onnxRuntime, onnxRuntime(model(node), rows(x)).h()[0], close, "ONNX Runtime");
        assertEquals(here, here(model(node), rows(x)).h()[0], close, "here");
    }

    @Test
    void thresholdedRelusDefaultIs1() throws OrtException {
        assertH(candidate("ThresholdedRelu"), 0.5f, 0.5, 0);
        assertH(candidate("ThresholdedRelu"), 1.5f, 1.5, 1.5);
    }

    @Test
    void thresholdedReluOfAlphaIsAlpha() throws OrtException {
        assertH(candidate("ThresholdedRelu", 0.75f), 0.75f, 0, 0.75);
    }

    @Test
    void softplusDoesNotOverflow() throws OrtException {
        assertH(candidate("Softplus"), 88.7f, 88.7f, 88.7f);
        assertH(candidate("Softplus"), 88.8f, Double.POSITIVE_INFINITY, 88.8f);
    }

    /** Its clip, which is there in any case, takes the biased NaN for something large. */
    @Test
    void nanStaysNan() throws OrtException {
        NodeProto.Builder plain = node(), biased = node().addInput("B");
        assertH(plain, Float.NaN, Double.NaN, Double.NaN);
        assertH(biased, Float.NaN, Math.tanh(1), Double.NaN);
        biased.addAttribute(attribute("clip", 0.5f));
        double gate = 1 / (1 + Math.exp(-0.5));
        assertH(biased, Float.NaN, gate * Math.tanh(gate * Math.tanh(0.5)), Double.NaN);
    }

    /** Without a clip pre-activations are kept within what a float32 can hold. */
    @Test
    void infinityStaysInfinity() throws OrtException {
        NodeProto.Builder node = node(texts("activations", "Sigmoid", "Relu", "Relu"));
        assertH(node, Float.POSITIVE_INFINITY, Float.MAX_VALUE, Double.POSITIVE_INFINITY);
    }

    @Test
    void smallValuesAreNot0() throws OrtException {
        NodeProto.Builder node = node(
                        texts("activations", "Affine", "Sigmoid", "Relu"), numbers("activation_alpha", 0f))
                .addAllAttribute(OPEN);
        assertEquals(0, onnxRuntime(model(node), rows(-20)).h()[0]);
        assertEquals(Math.exp(-20), here(model(node), rows(-20)).h()[0], 1e-6 * Math.exp(-20));
        NodeProto.Builder softplus = candidate("Softplus");
        assertEquals(0, onnxRuntime(model(softplus), rows(-20)).h()[0]);
        assertEquals(Math.exp(-20), here(model(softplus), rows(-20)).h()[0], 1e-6 * Math.exp(-20));
    }

    /** The specification gives them no default for this operator: followed. */
    @Test
    void affineAndScaledTanhWithoutParametersAre0() throws OrtException {
        for (String function : List.of("Affine", "ScaledTanh")) {
            NodeProto.Builder node = node(texts("activations", "Sigmoid", function, "Tanh"));
            assertH(node, 2, 0, 0);
        }
    }

    /** The specification doesn't say what a row without a step ends with: followed. */
    @Test
    void emptyRowsEndWithZeros() throws OrtException {
        NodeProto.Builder node =
                node().addAllInput(List.of("", "lens", "h0", "c0")).setOutput(0, "y");
        float[] states = {1, 2};
        for (int[] lengths : new int[][] {{0, 1}, {1, 0}, {0, 0}}) {
            OperatorInputs given = new OperatorInputs(1, 2, new float[] {1, 1}, lengths, states, states);
            OperatorOutputs expected = onnxRuntime(model(node), given), found = here(model(node), given);
            assertArrayEquals(expected.all(), found.all(), CLOSE);
            for (int row = 0; row < lengths.length; row++) {
                assertEquals(lengths[row] == 0, found.h()[row] == 0 && found.c()[row] == 0);
            }
        }
    }

    @Test
    void parametersServeTheFunctionsThatHaveThemInTurn() throws OrtException {
        NodeProto.Builder node =
                node(texts("activations", "Sigmoid", "LeakyRelu", "Elu"), numbers("activation_alpha", 0.25f));
        double c = -2 * 0.25 / (1 + Math.exp(2)), h = Math.expm1(c) / (1 + Math.exp(2));
        assertH(node, -2, h, h);
    }

    /** What is left over is ignored there; here it is refused, as somebody meant another assignment. */
    @Test
    void moreParametersThanFunctionsAreRefused() throws OrtException {
        NodeProto.Builder node =
                node(texts("activations", "Sigmoid", "LeakyRelu", "Tanh"), numbers("activation_alpha", 0f, 0.5f, 0f));
        onnxRuntime(model(node), rows(1));
        assertRefused(() -> read(model(node)), "activation_alpha", "at most 1", "found 3");
    }

    @Test
    void whatMeansNothingIsRefused() throws OrtException {
        onnxRuntime(model(node(attribute("input_forget", 2))), rows(1));
        assertRefused(() -> read(model(node(attribute("input_forget", 2)))), "input_forget", "found 2");
        NodeProto.Builder node =
                node(texts("activations", "Sigmoid", "LeakyRelu", "Tanh"), numbers("activation_alpha", Float.NaN));
        onnxRuntime(model(node), rows(1));
        assertRefused(() -> read(model(node)), "LeakyRelu, alpha", "finite", "NaN");
        for (AttributeProto both : List.of(
                attribute("clip", 0f),
                attribute("clip", -1f),
                attribute("direction", "Forward"),
                attribute("dropout", 1),
                attribute("output_sequence", 1),
                texts("activations", "Sigmoid", "Tanh"),
                texts("activations", "Sigmoid", "Tanh", "Tanh", "Tanh"),
                texts("activations", "Sigmoid", "Tanh", "Gelu"))) {
            assertThrows(OrtException.class, () -> onnxRuntime(model(node(both)), rows(1)), both::toString);
            assertRefused(() -> read(model(node(both))), both.getName());
        }
    }

    /** Refused there: layout 1, a node that leaves H to its weights, opset 1, float64. */
    @Test
    void onnxRuntimeRefusesWhatTheSpecificationHas() throws OrtException {
        OperatorInputs given = rows(1, -2, 3);
        double[] expected = onnxRuntime(model(node()), given).h();
        ModelProto bare = model(node().removeAttribute(0));
        ModelProto old = model(node()).toBuilder()
                .setOpsetImport(0, model(node()).getOpsetImport(0).toBuilder().setVersion(1))
                .build();
        for (ModelProto refused : List.of(model(node(attribute("layout", 1))), bare, old)) {
            assertThrows(OrtException.class, () -> onnxRuntime(refused, given));
            assertArrayEquals(expected, here(refused, given).h(), CLOSE);
        }
        assertEquals(3, Arrays.stream(expected).distinct().count());
        // How such a graph is run is tested with the graphs.
        assertThrows(OrtException.class, () -> onnxRuntime(inDoubles(), given));
        assertArrayEquals(
                read(model(node())).node.layer().weights().get(0).input(),
                read(inDoubles()).node.layer().weights().get(0).input());
    }

    private static ModelProto inDoubles() {
        ModelProto.Builder model = model(node()).toBuilder();
        GraphProto.Builder graph = model.getGraphBuilder();
        OnnxTensors tensors = new OnnxTensors(Path.of("doubles.onnx"));
        for (int k = 0; k < graph.getInitializerCount(); k++) {
            TensorProto.Builder doubles = graph.getInitializer(k).toBuilder();
            for (float value : tensors.floats(graph.getInitializer(k))) {
                doubles.addDoubleData(value);
            }
            graph.setInitializer(k, doubles.clearRawData().setDataType(DataType.DOUBLE_VALUE));
        }
        graph.getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.DOUBLE_VALUE);
        graph.getOutputBuilderList()
                .forEach(
                        output -> output.getTypeBuilder().getTensorTypeBuilder().setElemType(DataType.DOUBLE_VALUE));
        return model.build();
    }
}
