package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Writes a model as an ONNX graph of LSTM nodes. */
final class OnnxLstmWriter {
    /** Later opsets only add element types to the LSTM operator of this one. ONNX Runtime has read it since 2021. */
    private static final int OPSET = 14;

    /** The format version (IR) that belongs to the opset. */
    private static final int IR_VERSION = 7;

    /** A generous limit for the bytes of a layer's nodes and names. */
    private static final long OVERHEAD = 1 << 20;

    private static final String BATCH = "batch", TIME = "time";

    private final LstmModel model;
    private final Path target;
    private final boolean hasLengths, hasStates;
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("lstm");

    OnnxLstmWriter(LstmModel model, Path target, Set<OnnxLstm.Input> inputs) {
        this.model = model;
        this.target = target;
        hasLengths = inputs.contains(OnnxLstm.Input.LENGTHS);
        hasStates = inputs.contains(OnnxLstm.Input.STATES);
    }

    void write(boolean overwrite) {
        check();
        ModelProto onnx = ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("cellfuse")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .setGraph(graph())
                .build();
        try (AtomicFile file = AtomicFile.create(target, overwrite)) {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(file.channel()), 1 << 18);
            onnx.writeTo(out);
            out.flush();
            file.commit();
        } catch (IOException e) {
            throw Problems.io(target, "writing", e);
        }
    }

    private void check() {
        long bytes = OVERHEAD * model.layerCount();
        for (int k = 0; k < model.layerCount(); k++) {
            LstmLayer layer = model.layer(k);
            if (layer.hasProjection()) {
                throw invalid("layer " + k + ": expected no projection (ONNX's LSTM has none), found one from "
                        + layer.hiddenSize() + " to " + layer.stateSize() + "; write .safetensors instead");
            }
            CellEquations first = layer.weights().get(0).equations();
            for (LstmWeights w : layer.weights()) {
                if (w.equations().clip() != first.clip() || w.equations().coupled() != first.coupled()) {
                    throw invalid("layer " + k + ": expected the same clip and gate coupling in both directions "
                            + "(an ONNX node has one of each), found different ones");
                }
                // Both biases are counted, because a missing one may have to be written.
                bytes += (w.parameters() + 2L * LstmWeights.GATES * w.hiddenSize()) * Float.BYTES;
            }
        }
        if (bytes > Integer.MAX_VALUE) {
            throw invalid("expected a model of less than 2 GiB (the limit of an ONNX file), found " + bytes
                    + " bytes; write .safetensors instead");
        }
    }

    private GraphProto graph() {
        graph.addInput(Messages.value("x", TensorType.FLOAT, BATCH, TIME, model.inputSize()));
        if (hasLengths) {
            graph.addInput(Messages.value("lengths", TensorType.INT64, BATCH));
            graph.addNode(Messages.node("Cast", List.of("lengths"), "lengths_int32")
                    .addAttribute(Messages.integer("to", TensorType.INT32.code())));
        }
        graph.addNode(
                Messages.node("Transpose", List.of("x"), "x_l0").addAttribute(Messages.integers("perm", 1, 0, 2)));
        boolean isStacked = model.isUniform() && model.layerCount() > 1;
        if (hasStates) {
            initialStates("h0", isStacked);
            initialStates("c0", isStacked);
        }
        for (int k = 0; k < model.layerCount(); k++) {
            layer(k);
        }
        graph.addNode(Messages.node("Transpose", List.of("x_l" + model.layerCount()), "y")
                .addAttribute(Messages.integers("perm", 1, 0, 2)));
        graph.addOutput(Messages.value("y", TensorType.FLOAT, BATCH, TIME, model.outputSize()));
        finalStates("h_n", isStacked);
        finalStates("c_n", isStacked);
        return graph.build();
    }

    private void layer(int k) {
        LstmLayer layer = model.layer(k);
        List<LstmWeights> weights = layer.weights();
        int d = layer.directionCount(), h = layer.hiddenSize(), gates = LstmWeights.GATES * h;
        boolean hasBias = weights.stream().anyMatch(LstmWeights::hasBias);
        String of = "_l" + k;
        tensor("W" + of, joined(weights, w -> GateOrder.gatesToOnnx(w.input())), d, gates, layer.inputSize());
        tensor("R" + of, joined(weights, w -> GateOrder.gatesToOnnx(w.recurrent())), d, gates, h);
        if (hasBias) {
            tensor("B" + of, joined(weights, OnnxLstmWriter::biases), d, 2 * gates);
        }
        if (layer.hasPeepholes()) {
            int peepholes = LstmWeights.PEEPHOLES * h;
            tensor(
                    "P" + of,
                    joined(weights, w -> GateOrder.peepholesToOnnx(w.peepholes().orElseThrow())),
                    d,
                    peepholes);
        }
        List<String> inputs = new ArrayList<>(List.of("x" + of, "W" + of, "R" + of));
        inputs.add(hasBias ? "B" + of : "");
        inputs.add(hasLengths ? "lengths_int32" : "");
        inputs.add(hasStates ? state("h0", k) : "");
        inputs.add(hasStates ? state("c0", k) : "");
        inputs.add(layer.hasPeepholes() ? "P" + of : "");
        while (inputs.get(inputs.size() - 1).isEmpty()) {
            inputs.remove(inputs.size() - 1);
        }
        NodeProto.Builder node = Messages.node("LSTM", inputs, "Y" + of, state("h_n", k), state("c_n", k))
                .setName("lstm" + of)
                .addAttribute(Messages.text("direction", LstmAttributes.name(layer.direction())))
                .addAttribute(Messages.integer("hidden_size", h));
        equations(node, weights.stream().map(LstmWeights::equations).toList());
        graph.addNode(node);
        flatten(k, d);
    }

    /** Adds the nodes that turn Y {@code [T,D,N,H]} into the next layer's X {@code [T,N,D·H]}. */
    private void flatten(int k, int directions) {
        String y = "Y_l" + k, next = "x_l" + (k + 1);
        if (directions == 1) {
            constant("axis_l" + k, 1);
            graph.addNode(Messages.node("Squeeze", List.of(y, "axis_l" + k), next));
        } else {
            constant("shape_l" + k, 0, 0, -1);
            graph.addNode(Messages.node("Transpose", List.of(y), y + "_turned")
                    .addAttribute(Messages.integers("perm", 0, 2, 1, 3)));
            graph.addNode(Messages.node("Reshape", List.of(y + "_turned", "shape_l" + k), next));
        }
    }

    /** Returns the name of a layer's part of {@code h0}, {@code c0}, {@code h_n} or {@code c_n}. */
    private String state(String name, int layer) {
        return model.layerCount() == 1 ? name : name + "_l" + layer;
    }

    private void initialStates(String name, boolean isStacked) {
        if (!isStacked) {
            for (int k = 0; k < model.layerCount(); k++) {
                LstmLayer layer = model.layer(k);
                graph.addInput(Messages.value(
                        state(name, k), TensorType.FLOAT, layer.directionCount(), BATCH, layer.hiddenSize()));
            }
            return;
        }
        LstmLayer layer = model.layer(0);
        int d = layer.directionCount();
        graph.addInput(Messages.value(name, TensorType.FLOAT, model.layerCount() * d, BATCH, layer.hiddenSize()));
        constant(
                name + "_parts",
                IntStream.range(0, model.layerCount()).mapToLong(k -> d).toArray());
        graph.addNode(Messages.node(
                        "Split", List.of(name, name + "_parts"), states(name).toArray(String[]::new))
                .addAttribute(Messages.integer("axis", 0)));
    }

    private void finalStates(String name, boolean isStacked) {
        if (!isStacked) {
            for (int k = 0; k < model.layerCount(); k++) {
                LstmLayer layer = model.layer(k);
                graph.addOutput(Messages.value(
                        state(name, k), TensorType.FLOAT, layer.directionCount(), BATCH, layer.hiddenSize()));
            }
            return;
        }
        LstmLayer layer = model.layer(0);
        graph.addNode(Messages.node("Concat", states(name), name).addAttribute(Messages.integer("axis", 0)));
        graph.addOutput(Messages.value(
                name, TensorType.FLOAT, model.layerCount() * layer.directionCount(), BATCH, layer.hiddenSize()));
    }

    private List<String> states(String name) {
        return IntStream.range(0, model.layerCount())
                .mapToObj(k -> state(name, k))
                .toList();
    }

    /** Adds the attributes in which the equations differ from ONNX's defaults. */
    private static void equations(NodeProto.Builder node, List<CellEquations> directions) {
        CellEquations first = directions.get(0);
        if (first.clips()) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName("clip")
                    .setType(AttributeType.FLOAT)
                    .setF(first.clip()));
        }
        if (first.coupled()) {
            node.addAttribute(Messages.integer("input_forget", 1));
        }
        List<Activation> functions = directions.stream()
                .flatMap(e -> List.of(e.gate(), e.candidate(), e.hidden()).stream())
                .toList();
        List<Activation> ordinary = directions.stream()
                .flatMap(e -> List.of(Activation.SIGMOID, Activation.TANH, Activation.TANH).stream())
                .toList();
        if (functions.equals(ordinary)) {
            return;
        }
        node.addAttribute(Messages.texts(
                "activations",
                functions.stream().map(a -> a.function().onnxName()).toList()));
        List<Float> alphas = functions.stream()
                .filter(a -> a.function().hasAlpha())
                .map(Activation::alpha)
                .toList();
        List<Float> betas = functions.stream()
                .filter(a -> a.function().hasBeta())
                .map(Activation::beta)
                .toList();
        Messages.numbers(node, "activation_alpha", alphas);
        Messages.numbers(node, "activation_beta", betas);
    }

    /**
     * Returns both biases {@code [8H]}. If one is missing, it is written as -0: b + -0 is b for every b, but -0 + 0 is
     * 0. If both are missing, both are written as 0.
     */
    private static float[] biases(LstmWeights w) {
        int gates = LstmWeights.GATES * w.hiddenSize();
        float[] both = new float[2 * gates];
        Arrays.fill(both, w.hasBias() ? -0f : 0f);
        w.inputBias().ifPresent(bias -> System.arraycopy(GateOrder.gatesToOnnx(bias), 0, both, 0, gates));
        w.recurrentBias().ifPresent(bias -> System.arraycopy(GateOrder.gatesToOnnx(bias), 0, both, gates, gates));
        return both;
    }

    private static List<float[]> joined(List<LstmWeights> directions, Function<LstmWeights, float[]> part) {
        return directions.stream().map(part).toList();
    }

    private void tensor(String name, List<float[]> parts, long... shape) {
        int count = parts.stream().mapToInt(p -> p.length).sum();
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(count, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        for (float[] part : parts) {
            bytes.asFloatBuffer().put(at, part);
            at += part.length;
        }
        initializer(name, TensorType.FLOAT, bytes, shape);
    }

    private void constant(String name, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        initializer(name, TensorType.INT64, bytes, values.length);
    }

    private void initializer(String name, TensorType type, ByteBuffer bytes, long... shape) {
        ByteString raw = UnsafeByteOperations.unsafeWrap(bytes.array());
        graph.addInitializer(TensorProto.newBuilder()
                .setName(name)
                .setDataType(type.code())
                .addAllDims(Arrays.stream(shape).boxed().toList())
                .setRawData(raw));
    }

    private InvalidInputException invalid(String what) {
        return Problems.invalid(target, what);
    }
}
