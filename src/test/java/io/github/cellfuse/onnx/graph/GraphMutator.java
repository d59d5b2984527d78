package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Changes one thing in a model, as a writer's mistake might. */
final class GraphMutator {
    private static final List<String> OPERATORS = List.of(
            "Add",
            "MatMul",
            "LSTM",
            "Transpose",
            "Squeeze",
            "Reshape",
            "Relu",
            "Concat",
            "Identity",
            "Cast",
            "If",
            "Gather");

    private static final int[] TYPES = {
        TensorProto.DataType.FLOAT_VALUE,
        TensorProto.DataType.DOUBLE_VALUE,
        TensorProto.DataType.INT64_VALUE,
        TensorProto.DataType.INT32_VALUE,
        TensorProto.DataType.FLOAT16_VALUE,
        TensorProto.DataType.BOOL_VALUE
    };

    private final Random random;
    private final ModelProto.Builder model;
    private final GraphProto.Builder graph;

    /** What was changed. */
    private String change = "nothing";

    private GraphMutator(ModelProto model, Random random) {
        this.random = random;
        this.model = model.toBuilder();
        graph = this.model.getGraphBuilder();
    }

    /** A changed model, and what was changed in it. */
    record Mutant(ModelProto model, String change) {}

    static Mutant of(ModelProto model, Random random) {
        GraphMutator mutator = new GraphMutator(model, random);
        switch (random.nextInt(8)) {
            case 0, 1 -> mutator.changeInputs();
            case 2 -> mutator.changeOutputs();
            case 3, 4 -> mutator.changeAttributes();
            case 5 -> mutator.changeInitializers();
            case 6 -> mutator.changeInterface();
            default -> mutator.changeNodes();
        }
        return new Mutant(mutator.model.build(), mutator.change);
    }

    private int index(int count) {
        return random.nextInt(Math.max(1, count));
    }

    private String anyValue() {
        List<String> names = new ArrayList<>();
        graph.getInputList().forEach(input -> names.add(input.getName()));
        graph.getInitializerList().forEach(value -> names.add(value.getName()));
        graph.getNodeList().forEach(node -> names.addAll(node.getOutputList()));
        return names.get(random.nextInt(names.size()));
    }

    private void changeInputs() {
        NodeProto.Builder node = graph.getNodeBuilder(index(graph.getNodeCount()));
        int count = node.getInputCount(), k = index(count);
        List<String> inputs = new ArrayList<>(node.getInputList());
        switch (count == 0 ? 0 : random.nextInt(5)) {
            case 0 -> inputs.add(anyValue());
            case 1 -> inputs.remove(k);
            case 2 -> inputs.set(k, "");
            case 3 -> inputs.set(k, anyValue());
            default -> inputs.set(k, "nothing defines this");
        }
        node.clearInput().addAllInput(inputs);
        change = node.getOpType() + ": inputs " + inputs;
    }

    private void changeOutputs() {
        NodeProto.Builder node = graph.getNodeBuilder(index(graph.getNodeCount()));
        int k = index(node.getOutputCount());
        List<String> outputs = new ArrayList<>(node.getOutputList());
        switch (random.nextInt(4)) {
            case 0 -> outputs.add("a new value");
            case 1 -> outputs.remove(k);
            case 2 -> outputs.set(k, "");
            default -> outputs.set(k, anyValue());
        }
        node.clearOutput().addAllOutput(outputs);
        change = node.getOpType() + ": outputs " + outputs;
    }

    private void changeAttributes() {
        List<Integer> owners = new ArrayList<>();
        for (int k = 0; k < graph.getNodeCount(); k++) {
            if (graph.getNode(k).getAttributeCount() > 0) {
                owners.add(k);
            }
        }
        if (owners.isEmpty()) {
            return;
        }
        NodeProto.Builder node = graph.getNodeBuilder(owners.get(random.nextInt(owners.size())));
        int k = index(node.getAttributeCount());
        AttributeProto.Builder attribute = node.getAttributeBuilder(k);
        String name = attribute.getName();
        switch (random.nextInt(6)) {
            case 0 -> node.removeAttribute(k);
            case 1 -> node.addAttribute(attribute.build());
            case 2 -> attribute.setName("unknown");
            case 3 -> attribute.setType(AttributeType.forNumber(1 + random.nextInt(10)));
            case 4 -> attribute.setI(random.nextInt(7) - 3).setType(AttributeType.INT);
            default -> attribute.setF(random.nextFloat() - 0.5f).setType(AttributeType.FLOAT);
        }
        change = node.getOpType() + ": attribute " + name;
    }

    private void changeInitializers() {
        if (graph.getInitializerCount() == 0) {
            return;
        }
        TensorProto.Builder tensor = graph.getInitializerBuilder(index(graph.getInitializerCount()));
        switch (random.nextInt(5)) {
            case 0 -> tensor.setDataType(TYPES[random.nextInt(TYPES.length)]);
            case 1 -> tensor.addDims(1);
            case 2 -> {
                if (tensor.getDimsCount() > 0) {
                    tensor.setDims(index(tensor.getDimsCount()), random.nextInt(9) - 2);
                }
            }
            case 3 -> tensor.setName(anyValue());
            default -> tensor.clearRawData();
        }
        change = "initializer " + tensor.getName();
    }

    private void changeInterface() {
        boolean isInput = graph.getInputCount() > 0 && random.nextBoolean();
        ValueInfoProto.Builder value = isInput
                ? graph.getInputBuilder(index(graph.getInputCount()))
                : graph.getOutputBuilder(index(graph.getOutputCount()));
        switch (random.nextInt(4)) {
            case 0 -> value.getTypeBuilder().getTensorTypeBuilder().setElemType(TYPES[random.nextInt(TYPES.length)]);
            case 1 -> value.setName(anyValue());
            case 2 -> value.clearType();
            default ->
                value.getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .addDimBuilder()
                        .setDimValue(3);
        }
        change = (isInput ? "input " : "output ") + value.getName();
    }

    private void changeNodes() {
        int k = index(graph.getNodeCount());
        NodeProto.Builder node = graph.getNodeBuilder(k);
        change = "node " + node.getOpType();
        switch (random.nextInt(6)) {
            case 0 -> graph.removeNode(k);
            case 1 -> graph.addNode(node.build());
            case 2 -> node.setOpType(OPERATORS.get(random.nextInt(OPERATORS.size())));
            case 3 -> node.setName(graph.getNode(index(graph.getNodeCount())).getName());
            case 4 -> node.setDomain("com.example");
            default -> model.getOpsetImportBuilder(0).setVersion(1 + random.nextInt(24));
        }
        change += " -> " + node.getOpType();
    }
}
