package io.github.cellfuse.onnx;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The attributes of a node of the operator LSTM, versions 1, 7, 14 and 22.
 *
 * @param direction the direction in which the node reads the sequence
 * @param hiddenSize {@code H}, or 0 if only the weights determine it
 * @param layout the layout of X, Y and the states
 * @param equations the equations of each direction
 */
record LstmAttributes(Direction direction, long hiddenSize, Layout layout, List<CellEquations> equations) {
    /** The activations of a direction: f, g and h. */
    private static final int FUNCTIONS = 3;

    private static final Set<String> KNOWN = Set.of(
            "direction",
            "hidden_size",
            "activations",
            "activation_alpha",
            "activation_beta",
            "clip",
            "input_forget",
            "layout",
            "output_sequence");

    static LstmAttributes of(OnnxNode node, long opset) {
        checkKnown(node, opset);
        Direction direction = direction(node);
        boolean hasSize = node.proto().getAttributeList().stream()
                .anyMatch(attribute -> attribute.getName().equals("hidden_size"));
        long size = node.integer("hidden_size", 0);
        if (hasSize && (size < 1 || size > Integer.MAX_VALUE)) {
            throw node.invalid("attribute hidden_size: expected 1 or more, found " + size);
        }
        Layout layout = flag(node, "layout") ? Layout.BATCH_MAJOR : Layout.TIME_MAJOR;
        if (opset < 7) {
            // Version 1 requests Y by this attribute. It is only checked: whether the node names an output Y decides.
            flag(node, "output_sequence");
        }
        return new LstmAttributes(direction, size, layout, equations(node, direction));
    }

    /** Throws on an unknown attribute, because it may change the meaning of the node. */
    private static void checkKnown(OnnxNode node, long opset) {
        for (AttributeProto attribute : node.proto().getAttributeList()) {
            String name = attribute.getName();
            if (!KNOWN.contains(name)) {
                throw node.invalid("attribute " + Problems.quote(name)
                        + ": expected an attribute of the operator LSTM, found an unknown one");
            }
            if (name.equals("layout") && opset < 14) {
                throw node.invalid("attribute layout: expected only from opset 14 on, found in opset " + opset);
            }
            if (name.equals("output_sequence") && opset >= 7) {
                throw node.invalid("attribute output_sequence: expected only before opset 7, found in opset " + opset);
            }
        }
    }

    private static Direction direction(OnnxNode node) {
        String text = node.text("direction", "forward");
        return switch (text) {
            case "forward" -> Direction.FORWARD;
            case "reverse" -> Direction.REVERSE;
            case "bidirectional" -> Direction.BIDIRECTIONAL;
            default ->
                throw node.invalid("attribute direction: expected forward, reverse or bidirectional, found "
                        + Problems.quote(text));
        };
    }

    private static boolean flag(OnnxNode node, String name) {
        long value = node.integer(name, 0);
        if (value != 0 && value != 1) {
            throw node.invalid("attribute " + name + ": expected 0 or 1, found " + value);
        }
        return value == 1;
    }

    private static List<CellEquations> equations(OnnxNode node, Direction direction) {
        float clip = node.number("clip").orElse(CellEquations.NO_CLIP);
        boolean coupled = flag(node, "input_forget");
        List<Activation> functions = activations(node, direction.count());
        List<CellEquations> equations = new ArrayList<>();
        try {
            for (int first = 0; first < functions.size(); first += FUNCTIONS) {
                equations.add(new CellEquations(
                        functions.get(first), functions.get(first + 1), functions.get(first + 2), clip, coupled));
            }
        } catch (InvalidInputException e) {
            throw node.invalid("attribute " + e.getMessage(), e);
        }
        return equations;
    }

    private static List<Activation> activations(OnnxNode node, int directions) {
        List<String> names = node.texts("activations");
        List<ActivationFunction> functions = new ArrayList<>();
        if (names.isEmpty()) {
            for (int d = 0; d < directions; d++) {
                functions.addAll(List.of(ActivationFunction.SIGMOID, ActivationFunction.TANH, ActivationFunction.TANH));
            }
        } else if (names.size() != FUNCTIONS * directions) {
            throw node.invalid("attribute activations: expected " + FUNCTIONS * directions
                    + " names (f, g and h of each direction), found " + names.size());
        }
        for (String name : names) {
            functions.add(ActivationFunction.ofOnnxName(name)
                    .orElseThrow(() -> node.invalid("attribute activations: expected names from " + allNames()
                            + ", found " + Problems.quote(name))));
        }
        // Only functions that have the parameter take a value from its list, in order, as in ONNX Runtime.
        Iterator<Float> alphas = values(node, "activation_alpha", functions, ActivationFunction::hasAlpha);
        Iterator<Float> betas = values(node, "activation_beta", functions, ActivationFunction::hasBeta);
        List<Activation> activations = new ArrayList<>();
        for (ActivationFunction function : functions) {
            float alpha = function.hasAlpha() && alphas.hasNext() ? alphas.next() : defaultAlpha(function);
            float beta = function.hasBeta() && betas.hasNext() ? betas.next() : defaultBeta(function);
            try {
                activations.add(new Activation(function, alpha, beta));
            } catch (InvalidInputException e) {
                throw node.invalid("attribute activations: " + e.getMessage(), e);
            }
        }
        return activations;
    }

    private interface Has {
        boolean parameter(ActivationFunction function);
    }

    /**
     * Returns the values of a parameter. ONNX Runtime ignores excess values. Here they are ignored only if no function
     * has the parameter; otherwise the writer meant another assignment than the specification's, which is an error.
     */
    private static Iterator<Float> values(
            OnnxNode node, String attribute, List<ActivationFunction> functions, Has has) {
        List<Float> values = node.numbers(attribute);
        long takers = functions.stream().filter(has::parameter).count();
        if (takers > 0 && values.size() > takers) {
            throw node.invalid("attribute " + attribute + ": expected at most " + takers
                    + " values, one for each activation that has the parameter, found " + values.size());
        }
        return values.iterator();
    }

    private static String allNames() {
        return Arrays.stream(ActivationFunction.values())
                .map(ActivationFunction::onnxName)
                .collect(Collectors.joining(", "));
    }

    /** Returns false for the two functions for which the operator specifies no defaults; ONNX Runtime uses 0. */
    private static boolean hasDefaults(ActivationFunction function) {
        return function != ActivationFunction.AFFINE && function != ActivationFunction.SCALED_TANH;
    }

    private static float defaultAlpha(ActivationFunction function) {
        return hasDefaults(function) ? function.defaultAlpha() : 0;
    }

    private static float defaultBeta(ActivationFunction function) {
        return hasDefaults(function) ? function.defaultBeta() : 0;
    }

    /** Returns the direction's name in a file. */
    static String name(Direction direction) {
        return direction.name().toLowerCase(Locale.ROOT);
    }
}
