package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Graphs.attribute;

import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.Direction;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** A random node of the operator LSTM with random inputs: one seed makes one case. */
final class OperatorCase {
    private static final int GATES = 4, PEEPHOLES = 3, FUNCTIONS = 3;
    private static final int LARGEST = 40;
    private static final String[] OUTPUTS = {"y", "y_h", "y_c"};

    final long seed;
    final int inputs, hidden;
    final Direction direction;
    final long opset;
    /** As a file has it. */
    final NodeProto node;
    /** What it is run on. */
    final OperatorInputs given;

    private final float[] w, r, b, p;

    OperatorCase(long seed) {
        this.seed = seed;
        Random random = new Random(seed);
        int large = random.nextInt(6);
        int steps = size(random, large == 0, 8), rows = size(random, large == 1, 5);
        inputs = size(random, large == 2, 8);
        hidden = size(random, large == 3, 8);
        direction = Direction.values()[random.nextInt(3)];
        opset = new long[] {7, 14, 22}[random.nextInt(3)];

        // Gates of different sizes, so that one in another's place shows; small enough that errors don't explode over
        // the steps.
        float scale = 0.2f + 0.8f * random.nextFloat();
        int d = direction.count();
        w = weights(random, d, hidden * inputs, scale / (float) Math.sqrt(inputs));
        r = weights(random, d, hidden * hidden, scale / (float) Math.sqrt(hidden));
        b = random.nextInt(3) == 0 ? null : RandomLstm.values(random, d * 2 * GATES * hidden, 0.5f);
        p = random.nextInt(3) == 0 ? RandomLstm.values(random, d * PEEPHOLES * hidden, 0.7f) : null;
        given = given(random, steps, rows);
        node = node(random);
    }

    private static int size(Random random, boolean isLarge, int ordinary) {
        return 1 + random.nextInt(isLarge ? LARGEST : ordinary);
    }

    private static float[] weights(Random random, int directions, int block, float scale) {
        float[] values = new float[directions * GATES * block];
        for (int gate = 0; gate < directions * GATES; gate++) {
            float[] part = RandomLstm.values(random, block, scale * (0.6f + 0.4f * (gate % 5)));
            System.arraycopy(part, 0, values, gate * block, block);
        }
        return values;
    }

    private OperatorInputs given(Random random, int steps, int rows) {
        int states = direction.count() * rows * hidden;
        float[] x = RandomLstm.values(random, steps * rows * inputs, 2);
        int[] lengths = null;
        if (random.nextBoolean()) {
            lengths = random.ints(rows, 0, steps + 1).toArray();
            // The ends are where the rules are.
            int row = random.nextInt(rows);
            lengths[row] = random.nextBoolean() ? 0 : steps;
            if (random.nextInt(3) == 0) {
                fillPadding(x, lengths, new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1e30f}[random.nextInt(3)]);
            }
        }
        float[] h0 = random.nextBoolean() ? RandomLstm.values(random, states, 1) : null;
        float[] c0 = random.nextBoolean() ? RandomLstm.values(random, states, 1.5f) : null;
        return new OperatorInputs(steps, rows, x, lengths, h0, c0);
    }

    /** Past a row's length nothing is read, whatever is there. */
    private void fillPadding(float[] x, int[] lengths, float value) {
        int rows = lengths.length;
        for (int row = 0; row < rows; row++) {
            for (int at = lengths[row] * rows + row; at * inputs < x.length; at += rows) {
                Arrays.fill(x, at * inputs, (at + 1) * inputs, value);
            }
        }
    }

    private NodeProto node(Random random) {
        NodeProto.Builder node = NodeProto.newBuilder().setOpType("LSTM").setName("cell");
        List<String> names = new ArrayList<>(List.of(
                "x",
                "W",
                "R",
                b == null ? "" : "B",
                given.lengths() == null ? "" : "lens",
                given.h0() == null ? "" : "h0",
                given.c0() == null ? "" : "c0",
                p == null ? "" : "P"));
        // What is absent at the end may be named by nothing, or not at all.
        while (names.get(names.size() - 1).isEmpty() && random.nextInt(4) > 0) {
            names.remove(names.size() - 1);
        }
        node.addAllInput(names);
        int wanted = 1 + random.nextInt(7);
        for (int k = 0; k < OUTPUTS.length && wanted >> k > 0; k++) {
            node.addOutput((wanted >> k & 1) == 1 ? OUTPUTS[k] : "");
        }
        if (direction != Direction.FORWARD || random.nextBoolean()) {
            node.addAttribute(attribute("direction", direction.name().toLowerCase(Locale.ROOT)));
        }
        if (random.nextInt(3) > 0) {
            node.addAttribute(attribute("hidden_size", hidden));
        }
        if (random.nextBoolean()) {
            node.addAttribute(attribute("clip", 0.2f + 2 * random.nextFloat()));
        }
        int coupled = random.nextInt(4);
        if (coupled > 1) {
            node.addAttribute(attribute("input_forget", coupled - 2));
        }
        int layout = random.nextInt(3);
        if (opset >= 14 && layout > 0) {
            node.addAttribute(attribute("layout", layout - 1));
        }
        if (random.nextInt(5) > 0) {
            activations(random, node);
        }
        return node.build();
    }

    /** Parameters for as many of the functions as have them, or for the first of those. */
    private void activations(Random random, NodeProto.Builder node) {
        List<String> names = new ArrayList<>();
        int alphas = 0, betas = 0;
        for (int k = 0; k < FUNCTIONS * direction.count(); k++) {
            ActivationFunction[] all = ActivationFunction.values();
            ActivationFunction function = all[random.nextInt(all.length)];
            names.add(inAnyCase(random, function.onnxName()));
            alphas += function.hasAlpha() ? 1 : 0;
            betas += function.hasBeta() ? 1 : 0;
        }
        node.addAttribute(Graphs.texts("activations", names.toArray(String[]::new)));
        boolean isWhole = random.nextBoolean();
        alphas = isWhole ? alphas : random.nextInt(alphas + 1);
        betas = isWhole ? betas : random.nextInt(betas + 1);
        if (alphas > 0) {
            node.addAttribute(Graphs.numbers("activation_alpha", parameters(random, alphas)));
        }
        if (betas > 0) {
            node.addAttribute(Graphs.numbers("activation_beta", parameters(random, betas)));
        }
    }

    private static Float[] parameters(Random random, int count) {
        Float[] values = new Float[count];
        for (int k = 0; k < count; k++) {
            values[k] = random.nextFloat() * 1.3f - 0.3f;
        }
        return values;
    }

    private static String inAnyCase(Random random, String name) {
        return switch (random.nextInt(4)) {
            case 0 -> name;
            case 1 -> name.toLowerCase(Locale.ROOT);
            case 2 -> name.toUpperCase(Locale.ROOT);
            default -> {
                StringBuilder mixed = new StringBuilder();
                for (char letter : name.toCharArray()) {
                    mixed.append(random.nextBoolean() ? Character.toUpperCase(letter) : Character.toLowerCase(letter));
                }
                yield mixed.toString();
            }
        };
    }

    /** The model of the node alone, as a file has it. */
    ModelProto model() {
        return model(node);
    }

    /**
     * The same model as ONNX Runtime takes it and understands it: with a hidden size, time-major, and with the
     * specification's default for ThresholdedRelu written out, where its own is another.
     */
    ModelProto modelForOnnxRuntime() {
        return model(forOnnxRuntime());
    }

    /** The same for inputs of one step each: all outputs, no lengths, states given. */
    ModelProto singleStepsForOnnxRuntime() {
        NodeProto.Builder single = forOnnxRuntime().toBuilder();
        single.clearInput()
                .addAllInput(List.of("x", "W", "R", b == null ? "" : "B", "", "h0", "c0", p == null ? "" : "P"));
        return model(single.clearOutput().addAllOutput(List.of(OUTPUTS)).build());
    }

    private NodeProto forOnnxRuntime() {
        NodeProto.Builder changed = node.toBuilder().clearAttribute();
        OnnxNode names = OnnxNode.of("the case", 0, node);
        for (AttributeProto attribute : node.getAttributeList()) {
            if (!List.of("hidden_size", "layout", "activation_alpha").contains(attribute.getName())) {
                changed.addAttribute(attribute);
            }
        }
        changed.addAttribute(attribute("hidden_size", hidden));
        List<Float> alphas = new ArrayList<>(names.numbers("activation_alpha"));
        List<ActivationFunction> takers = names.texts("activations").stream()
                .map(name -> ActivationFunction.ofOnnxName(name).orElseThrow())
                .filter(ActivationFunction::hasAlpha)
                .toList();
        for (int k = takers.lastIndexOf(ActivationFunction.THRESHOLDED_RELU); k >= alphas.size(); ) {
            alphas.add(specifiedAlpha(takers.get(alphas.size())));
        }
        if (!alphas.isEmpty()) {
            changed.addAttribute(Graphs.numbers("activation_alpha", alphas.toArray(Float[]::new)));
        }
        return changed.build();
    }

    /** The defaults of the operators of the same names; 0 where they have none or the two disagree. */
    private static float specifiedAlpha(ActivationFunction function) {
        return switch (function) {
            case LEAKY_RELU -> 0.01f;
            case THRESHOLDED_RELU, ELU -> 1;
            case HARD_SIGMOID -> 0.2f;
            default -> 0;
        };
    }

    private ModelProto model(NodeProto node) {
        int d = direction.count();
        GraphProto.Builder graph = Graphs.graph(
                        node.getInputList().stream()
                                .filter(List.of("x", "h0", "c0")::contains)
                                .toList(),
                        node.getOutputList().stream()
                                .filter(name -> !name.isEmpty())
                                .toList())
                .addInitializer(Graphs.floats("W", w, d, (long) GATES * hidden, inputs))
                .addInitializer(Graphs.floats("R", r, d, (long) GATES * hidden, hidden))
                .addNode(node);
        if (b != null) {
            graph.addInitializer(Graphs.floats("B", b, d, 2L * GATES * hidden));
        }
        if (p != null) {
            graph.addInitializer(Graphs.floats("P", p, d, (long) PEEPHOLES * hidden));
        }
        if (node.getInputList().contains("lens")) {
            graph.addInput(Graphs.value("lens"));
            graph.getInputBuilder(graph.getInputCount() - 1)
                    .getTypeBuilder()
                    .getTensorTypeBuilder()
                    .setElemType(TensorType.INT32.code());
        }
        return Graphs.model(graph, opset);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("-Dcellfuse.seed=" + seed + " -Dtest=OnnxOperatorTest: opset " + opset
                + " T=" + given.steps() + " N=" + given.rows() + " I=" + inputs + " H=" + hidden + " "
                + node.getInputList() + " " + node.getOutputList());
        for (AttributeProto a : node.getAttributeList()) {
            text.append(' ').append(a.getName()).append('=');
            switch (a.getType()) {
                case STRINGS ->
                    a.getStringsList()
                            .forEach(s -> text.append(s.toStringUtf8()).append(','));
                case FLOATS -> text.append(a.getFloatsList());
                case STRING -> text.append(a.getS().toStringUtf8());
                case FLOAT -> text.append(a.getF());
                default -> text.append(a.getI());
            }
        }
        return text.toString();
    }
}
