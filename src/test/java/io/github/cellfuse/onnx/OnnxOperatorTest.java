package io.github.cellfuse.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ai.onnxruntime.OrtException;
import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Device;
import io.github.cellfuse.Extent;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.reference.LstmCell;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The operator LSTM is ONNX Runtime's: random nodes over the whole attribute space, read from their bytes and run here,
 * against the same bytes in ONNX Runtime. {@link OnnxRuntimeDifferencesTest} has what isn't the same.
 *
 * <p><b>The tolerance.</b> ONNX Runtime's sigmoid and tanh are rational approximations, right to 5e-7 of 1 (and so to
 * no more than 3e-4 of a sigmoid of -8), and what a step is off the next one inherits, through functions that aren't
 * bounded. One number that suits all cases would be too wide for most. So every value has its own:
 * {@link OperatorAnalysis} computes in double precision what the operator gives and, beside it, how far float32 may be
 * from that, by the formulas that ONNX Runtime has; both sides must be within. Nearly all of it is below 1e-5, which is
 * asserted, and {@link #mistakesAreCaught} shows what that is worth. Where weights and functions let errors grow, the
 * bound grows; therefore every step of every row is also run by itself, from the state before it, where nothing is
 * inherited.
 */
class OnnxOperatorTest {
    private static final int FEW = 600, MANY = 3000, MISTAKEN = 300;

    /** New equations are new kernels, a second or more for a case; so each must have as much that is new. */
    private static final int ON_OPENCL = 10, NEW_ON_OPENCL = 4;

    /** The change of a value, relative to it or to 1, from which on a mistake counts. */
    private static final double MISTAKE = 1e-3;

    /** So many of {@link #MISTAKEN} cases, at least, tell of each kind. */
    private static final int TELLING = 15;

    /** The share of those in which it is seen: in a few the bounds are wide throughout, as the states explode. */
    private static final double SEEN = 0.95;

    @TempDir
    Path folder;

    /** A case with what both sides are compared with. */
    private final class Comparison {
        final OperatorCase c;
        final OperatorModel model;
        final LstmNode node;
        final OperatorAnalysis whole;
        /** Every step by itself; null where no row has one. */
        final OperatorAnalysis single;

        final OperatorInputs singles;
        final OperatorOutputs ortWhole, ortSingle;

        Comparison(long seed) {
            c = new OperatorCase(seed);
            model = new OperatorModel(folder.resolve("case.onnx"), c.model());
            node = model.node;
            whole = new OperatorAnalysis(node.layer(), c.given, OperatorMistake.NONE);
            singles = whole.singleSteps();
            single = singles.rows() == 0 ? null : new OperatorAnalysis(node.layer(), singles, OperatorMistake.NONE);
            int directions = c.direction.count();
            try (OnnxRuntimeLstm wholes = new OnnxRuntimeLstm(c.modelForOnnxRuntime(), directions, c.inputs, c.hidden);
                    OnnxRuntimeLstm steps =
                            new OnnxRuntimeLstm(c.singleStepsForOnnxRuntime(), directions, c.inputs, c.hidden)) {
                ortWhole = wholes.run(c.given);
                ortSingle = single == null ? null : steps.run(singles);
            } catch (OrtException e) {
                throw new AssertionError(c + ": " + e.getMessage(), e);
            }
        }
    }

    /** What of {@code found} isn't within the bounds; empty where all of it is. */
    static String beyond(OperatorAnalysis analysis, OperatorOutputs found) {
        double[] exact = analysis.exact.like(found).all(),
                bound = analysis.bound.like(found).all();
        double[] values = found.all();
        assertEquals(exact.length, values.length);
        for (int k = 0; k < exact.length; k++) {
            if (!(Math.abs(values[k] - exact[k]) <= bound[k]) && bound[k] < Double.POSITIVE_INFINITY) {
                return "value " + k + " of " + exact.length + ": expected " + exact[k] + " ± " + bound[k] + ", found "
                        + values[k];
            }
        }
        return "";
    }

    @Tag("extended")
    @Test
    void everyNodeIsOnnxRuntimes() {
        long[] seeds = Extent.seeds(TestEngines.seed(20261124), FEW, MANY).toArray();
        System.out.println("seeds from " + seeds[0]);
        Set<String> seen = new HashSet<>();
        long values = 0, tight = 0;
        for (long seed : seeds) {
            Comparison comparison = new Comparison(seed);
            OperatorCase c = comparison.c;
            assertWithin(c, "ONNX Runtime", comparison.whole, comparison.ortWhole);
            if (comparison.single != null) {
                assertWithin(c, "ONNX Runtime, by steps", comparison.single, comparison.ortSingle);
            }
            OperatorModel singleSteps = new OperatorModel(folder.resolve("steps.onnx"), c.singleStepsForOnnxRuntime());
            for (Device device : List.of(Device.JAVA, Device.REFERENCE)) {
                assertWithin(c, device.toString(), comparison.whole, comparison.model.run(device, c.given));
                if (comparison.single != null) {
                    assertWithin(
                            c, device + ", by steps", comparison.single, singleSteps.run(device, comparison.singles));
                }
            }
            // What ONNX Runtime won't take, said in another way, is the same to the bit: layout 1, no hidden size.
            OperatorModel same = new OperatorModel(folder.resolve("same.onnx"), c.modelForOnnxRuntime());
            double[] found = comparison.model.run(Device.JAVA, c.given).all();
            assertTrue(
                    Arrays.equals(found, same.run(Device.JAVA, c.given).all()),
                    () -> c + ": other bits than " + same.node.node().proto());

            double[] exact = comparison.whole.exact.all(), bound = comparison.whole.bound.all();
            for (int v = 0; v < exact.length; v++) {
                values++;
                tight += bound[v] <= 1e-5 * Math.max(1, Math.abs(exact[v])) ? 1 : 0;
            }
            seen.addAll(features(c, comparison.node));
        }
        assertTrue(tight > 0.95 * values, tight + " of " + values + " bounds are below 1e-5");
        assertSeen(seen);
    }

    private static void assertWithin(OperatorCase c, String who, OperatorAnalysis analysis, OperatorOutputs found) {
        String beyond = beyond(analysis, found);
        if (!beyond.isEmpty()) {
            fail(c + ": " + who + ": " + beyond);
        }
    }

    private static Set<String> features(OperatorCase c, LstmNode node) {
        Set<String> seen = new HashSet<>();
        seen.add(c.direction.toString());
        seen.add("opset " + c.opset);
        seen.add(node.layout().toString());
        seen.add("outputs " + c.node.getOutputList());
        seen.add("states " + (c.given.h0() != null) + (c.given.c0() != null));
        seen.add("size "
                + (c.node.getAttributeList().stream().anyMatch(a -> a.getName().equals("hidden_size"))));
        for (int row = 0; c.given.lengths() != null && row < c.given.rows(); row++) {
            seen.add(c.given.length(row) == 0 ? "empty" : c.given.length(row) == c.given.steps() ? "full" : "short");
        }
        for (LstmWeights w : node.layer().weights()) {
            CellEquations e = w.equations();
            seen.add("bias " + w.inputBias().isPresent());
            seen.add("peepholes " + w.hasPeepholes());
            seen.add("clip " + e.clips());
            seen.add("coupled " + e.coupled());
            seen.add("gate " + e.gate().function());
            seen.add("candidate " + e.candidate().function());
            seen.add("hidden " + e.hidden().function());
        }
        return seen;
    }

    /** That the generator reaches what it is there for. */
    private static void assertSeen(Set<String> seen) {
        List<String> expected =
                new ArrayList<>(List.of("FORWARD", "REVERSE", "BIDIRECTIONAL", "empty", "full", "short"));
        for (Layout layout : Layout.values()) {
            expected.add(layout.toString());
        }
        expected.addAll(List.of("opset 7", "opset 14", "opset 22"));
        for (boolean is : new boolean[] {false, true}) {
            for (String what :
                    List.of("size ", "bias ", "peepholes ", "clip ", "coupled ", "states true", "states false")) {
                expected.add(what + is);
            }
        }
        for (ActivationFunction function : ActivationFunction.values()) {
            expected.addAll(List.of("gate " + function, "candidate " + function, "hidden " + function));
        }
        expected.forEach(what -> assertTrue(seen.contains(what), "no case with " + what));
        assertEquals(7, seen.stream().filter(s -> s.startsWith("outputs")).count());
    }

    @Tag("extended")
    @Test
    void openClDevicesGiveTheBitsOfJava() {
        long seed = TestEngines.seed(20261124);
        Set<String> seen = new HashSet<>();
        int ran = 0;
        for (int k = 0; ran < ON_OPENCL; k++) {
            OperatorCase c = new OperatorCase(seed + k);
            OperatorModel model = new OperatorModel(folder.resolve("case.onnx"), c.model());
            Set<String> features = features(c, model.node);
            if (k > 0
                    && features.stream().filter(f -> !seen.contains(f)).count() < NEW_ON_OPENCL
                    && k < Extent.cases(FEW, MANY)) {
                continue;
            }
            seen.addAll(features);
            ran++;
            double[] expected = model.run(Device.JAVA, c.given).all();
            for (Device device : TestEngines.exact()) {
                double[] found = model.run(device, c.given).all();
                assertTrue(Arrays.equals(expected, found), () -> c + ": other bits on " + device);
            }
        }
    }

    /**
     * The bounds are tight enough: of the mistakes that change a value by a thousandth hardly one would have passed.
     */
    @Test
    void mistakesAreCaught() {
        long seed = TestEngines.seed(20261124);
        TreeMap<OperatorMistake, int[]> counts = new TreeMap<>();
        for (int k = 0; k < MISTAKEN; k++) {
            Comparison comparison = new Comparison(seed + k);
            LstmLayer layer = comparison.node.layer();
            for (OperatorMistake mistake : OperatorMistake.values()) {
                OperatorAnalysis wrong = new OperatorAnalysis(layer, comparison.c.given, mistake);
                boolean changes = changes(comparison.whole.exact.like(comparison.ortWhole), wrong.exact);
                boolean isSeen = isSeen(mistake, comparison.whole, wrong, comparison.ortWhole);
                if (comparison.single != null) {
                    OperatorAnalysis wrongSteps = new OperatorAnalysis(layer, comparison.singles, mistake);
                    changes |= changes(comparison.single.exact, wrongSteps.exact);
                    isSeen |= isSeen(mistake, comparison.single, wrongSteps, comparison.ortSingle);
                }
                int[] count = counts.computeIfAbsent(mistake, m -> new int[2]);
                count[0] += changes ? 1 : 0;
                count[1] += changes && isSeen ? 1 : 0;
            }
        }
        assertEquals(0, counts.remove(OperatorMistake.NONE)[0]);
        counts.forEach((mistake, count) -> {
            String found = mistake + " changes " + count[0] + " cases and is seen in " + count[1];
            assertTrue(count[0] >= TELLING && count[1] >= SEEN * count[0], found);
        });
    }

    /**
     * Whether a mistake is seen: where a layer is read wrongly the bounds are wrong, too, and it is ONNX Runtime's
     * answers that are beyond them; where it is run wrongly the answers here are beyond the right ones.
     */
    private static boolean isSeen(
            OperatorMistake mistake, OperatorAnalysis right, OperatorAnalysis wrong, OperatorOutputs onnxRuntime) {
        return !(mistake.isInTheLayer() ? beyond(wrong, onnxRuntime) : beyond(right, wrong.exact.like(onnxRuntime)))
                .isEmpty();
    }

    private static boolean changes(OperatorOutputs right, OperatorOutputs wrong) {
        double[] expected = right.all(), found = wrong.like(right).all();
        for (int k = 0; k < expected.length; k++) {
            boolean isSame = Math.abs(found[k] - expected[k]) <= MISTAKE * Math.max(1, Math.abs(expected[k]));
            if (!isSame && Double.isFinite(expected[k])) {
                return true;
            }
        }
        return false;
    }

    /** Each of ONNX Runtime's functions, where it computes the candidate and where it computes the hidden state. */
    @Test
    void onnxRuntimesFunctionsAreOffByNoMoreThanTheBoundsSay() throws OrtException {
        int half = 100_000;
        float[] x = new float[2 * half + 1];
        for (int k = 0; k < x.length; k++) {
            x[k] = (k - half) * (40f / half);
        }
        for (ActivationFunction function : ActivationFunction.values()) {
            Activation f = new Activation(function, 0.7f, 0.3f);
            for (boolean isHidden : new boolean[] {false, true}) {
                double[] found = answers(f, isHidden, x);
                for (int k = 0; k < x.length; k++) {
                    if (function == ActivationFunction.THRESHOLDED_RELU && x[k] == f.alpha()) {
                        continue; // it jumps there, to the other side
                    }
                    double expected = LstmCell.apply(f, x[k]), error = Math.abs(found[k] - expected);
                    double limit = OperatorAnalysis.own(f, Math.abs(x[k]), Math.abs(expected)) + Float.MIN_VALUE;
                    float at = x[k];
                    assertTrue(error <= limit, () -> f + " of " + at + ": off by " + error + ", not " + limit);
                }
            }
        }
    }

    /**
     * {@code f} of each of {@code x} by ONNX Runtime: rows of one step through gates that are 1 and another function
     * that is the identity.
     */
    private static double[] answers(Activation f, boolean isHidden, float[] x) throws OrtException {
        Activation one = new Activation(ActivationFunction.AFFINE, 0, 1);
        Activation identity = new Activation(ActivationFunction.AFFINE, 1, 0);
        List<Activation> functions = List.of(one, isHidden ? identity : f, isHidden ? f : identity);
        NodeProto.Builder node = Graphs.node("LSTM", List.of("x", "W", "R"), "", "y_h")
                .addAttribute(Graphs.attribute("hidden_size", 1))
                .addAttribute(attribute(functions))
                .addAttribute(Graphs.numbers(
                        "activation_alpha",
                        functions.stream()
                                .filter(a -> a.function().hasAlpha())
                                .map(Activation::alpha)
                                .toArray(Float[]::new)))
                .addAttribute(Graphs.numbers(
                        "activation_beta",
                        functions.stream()
                                .filter(a -> a.function().hasBeta())
                                .map(Activation::beta)
                                .toArray(Float[]::new)));
        GraphProto.Builder graph = Graphs.graph(List.of("x"), List.of("y_h"))
                .addInitializer(Graphs.floats("W", new float[] {0, 0, 0, 1}, 1, 4, 1))
                .addInitializer(Graphs.floats("R", new float[4], 1, 4, 1))
                .addNode(node);
        try (OnnxRuntimeLstm ort = new OnnxRuntimeLstm(Graphs.model(graph, 14), 1, 1, 1)) {
            return ort.run(new OperatorInputs(1, x.length, x, null, null, null)).h();
        }
    }

    private static AttributeProto attribute(List<Activation> functions) {
        return Graphs.texts(
                "activations",
                functions.stream().map(a -> a.function().onnxName()).toArray(String[]::new));
    }
}
