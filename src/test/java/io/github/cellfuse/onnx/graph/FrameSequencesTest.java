package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.shape.RowAxes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many frames at once give the bits of running frame by frame. */
class FrameSequencesTest {
    private static final int N = 3, I = 4, H = 5, FRAMES = 7;

    @TempDir
    Path folder;

    private final Random random = new Random(TestEngines.seed(20261126));

    /** Frames {@code [N,S,I]}, an LSTM over their steps, its states as two inputs. */
    private GraphProto.Builder batchFirst(Object steps) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "batch", steps, I))
                .addInput(floats("h", 1, "batch", H))
                .addInput(floats("c", 1, "batch", H))
                .addOutput(floats("p", "batch", steps, H))
                .addOutput(floats("ho", 1, "batch", H))
                .addOutput(floats("co", 1, "batch", H))
                .addInitializer(longs("one", 1))
                .addInitializer(constant("shift", scaled(random, I)));
        weights(graph, "a", random, 1, I, H);
        return graph.addNode(node("Add", "front", List.of("x", "shift"), List.of("z")))
                .addNode(node("Transpose", "t", List.of("z"), List.of("zt"), integers("perm", 1L, 0L, 2L)))
                .addNode(lstm("a", "zt", H, List.of("", "h", "c"), List.of("ho", "co")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("m")))
                .addNode(node("Transpose", "u", List.of("m"), List.of("mt"), integers("perm", 1L, 0L, 2L)))
                .addNode(node("Abs", "head", List.of("mt"), List.of("p")));
    }

    private static final Map<String, String> TWO_STATES = Map.of("h", "ho", "c", "co");

    @Test
    void stepsWithinFrames() {
        for (int steps : new int[] {1, 3}) {
            assertSequences(batchFirst("steps"), TWO_STATES, new long[] {N, steps, I}, 0);
        }
    }

    /** A cell as PyTorch exports it: both states in one value, and the hidden state as the result. */
    private GraphProto.Builder cell() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "", I))
                .addInput(floats("state", 2, "", H))
                .addOutput(floats("p", "", H))
                .addOutput(floats("stateN", 2, "", H))
                .addInitializer(longs("zero", 0))
                .addInitializer(constant("0", Tensor.of(new long[] {0})))
                .addInitializer(constant("1", Tensor.of(new long[] {1})));
        weights(graph, "a", random, 1, I, H);
        return graph.addNode(node("Gather", "gh", List.of("state", "0"), List.of("h2"), integer("axis", 0)))
                .addNode(node("Gather", "gc", List.of("state", "1"), List.of("c2"), integer("axis", 0)))
                .addNode(node("Unsqueeze", "uh", List.of("h2", "zero"), List.of("h")))
                .addNode(node("Unsqueeze", "uc", List.of("c2", "zero"), List.of("c")))
                .addNode(node("Unsqueeze", "ux", List.of("x", "zero"), List.of("xt")))
                .addNode(lstm("a", "xt", H, List.of("", "h", "c"), List.of("hn", "cn")))
                .addNode(node("Squeeze", "sh", List.of("hn", "zero"), List.of("hs")))
                .addNode(node("Squeeze", "sc", List.of("cn", "zero"), List.of("cs")))
                .addNode(node("Unsqueeze", "vh", List.of("hs", "zero"), List.of("hu")))
                .addNode(node("Unsqueeze", "vc", List.of("cs", "zero"), List.of("cu")))
                .addNode(node("Concat", "pack", List.of("hu", "cu"), List.of("stateN"), integer("axis", 0)))
                .addNode(node("Relu", "head", List.of("hs"), List.of("p")));
    }

    private static final Map<String, String> STACKED = Map.of("state", "stateN");

    @Test
    void aCellWhoseResultIsItsState() {
        assertSequences(cell(), STACKED, new long[] {N, I}, 0);
    }

    /** Two layers, whose states are slices of [2,N,H]. */
    private GraphProto.Builder layers(String firstH, String secondH) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 1, "batch", I))
                .addInput(floats("h", 2, "batch", H))
                .addInput(floats("c", 2, "batch", H))
                .addOutput(floats("p", 1, "batch", H))
                .addOutput(floats("ho", 2, "batch", H))
                .addOutput(floats("co", 2, "batch", H))
                .addInitializer(longs("zero", 0))
                .addInitializer(longs("one", 1))
                .addInitializer(longs("two", 2));
        weights(graph, "a", random, 1, I, H);
        weights(graph, "b", random, 1, H, H);
        for (String state : List.of("h", "c")) {
            graph.addNode(node("Slice", state + "a", List.of(state, "zero", "one", "zero"), List.of(state + "0")))
                    .addNode(node("Slice", state + "b", List.of(state, "one", "two", "zero"), List.of(state + "1")));
        }
        return graph.addNode(lstm("a", "x", H, List.of("", firstH, "c0"), List.of("ha", "ca")))
                .addNode(node("Squeeze", "s", List.of("a.y", "one"), List.of("m")))
                .addNode(lstm("b", "m", H, List.of("", secondH, "c1"), List.of("hb", "cb")))
                .addNode(node("Squeeze", "t", List.of("b.y", "one"), List.of("top")))
                .addNode(node("Neg", "head", List.of("top"), List.of("p")))
                .addNode(node("Concat", "hp", List.of("ha", "hb"), List.of("ho"), integer("axis", 0)))
                .addNode(node("Concat", "cp", List.of("ca", "cb"), List.of("co"), integer("axis", 0)));
    }

    @Test
    void layersWhoseStatesAreSlices() {
        assertSequences(layers("h0", "h1"), TWO_STATES, new long[] {1, N, I}, 1);
    }

    @Test
    void statesThatChangePlacesAreNoSequences() {
        assertNone(layers("h1", "h0"), TWO_STATES, new long[] {1, N, I}, "of the call before");
        assertNone(batchFirst("steps"), Map.of("h", "co", "c", "ho"), new long[] {N, 1, I}, "of the call before");
    }

    @Test
    void statesThatAreComputedWithAreNoSequences() {
        GraphProto.Builder faded = batchFirst(1);
        faded.setOutput(1, floats("hf", 1, "batch", H))
                .addInitializer(constant("fade", Tensor.of(new float[] {0.5f})))
                .addNode(node("Mul", "fading", List.of("ho", "fade"), List.of("hf")));
        assertNone(
                faded, Map.of("h", "hf", "c", "co"), new long[] {N, 1, I}, "node 'fading' (Mul) computes with a state");
        GraphProto.Builder shown = batchFirst(1);
        shown.addOutput(floats("q", 1, "batch", H)).addNode(node("Tanh", "show", List.of("co"), List.of("q")));
        assertNone(shown, TWO_STATES, new long[] {N, 1, I}, "a result depends on 'co'");
        GraphProto.Builder direct = batchFirst(1);
        direct.addOutput(floats("q", 1, "batch", H)).addNode(node("Tanh", "show", List.of("h"), List.of("q")));
        assertNone(direct, TWO_STATES, new long[] {N, 1, I}, "a result depends on state 'h' directly");
        GraphProto.Builder mean = batchFirst(1);
        mean.addInput(floats("mean", "batch", 1, I))
                .addOutput(floats("meanN", "batch", 1, I))
                .addNode(node("Add", "sum", List.of("mean", "x"), List.of("meanN")));
        assertNone(mean, Map.of("h", "ho", "c", "co", "mean", "meanN"), new long[] {N, 1, I}, "a state depends on 'x'");
        assertNone(batchFirst(1), Map.of("h", "ho"), new long[] {N, 1, I}, "");
    }

    /** Frame by frame, in groups, and with streams of unequal lengths: the same bits on every device. */
    private void assertSequences(GraphProto.Builder graph, Map<String, String> states, long[] frameShape, int rowAxis) {
        OnnxModel model = OnnxModel.open(Protos.write(folder, graph));
        RowAxes axes = model.rows(Map.of()).axes().orElseThrow();
        SequencePlan plan = model.sequences(states, axes);
        SequenceModel sequences = plan.model().orElseThrow(() -> new AssertionError(plan.reason()));
        List<Tensor> frames = new ArrayList<>();
        for (int frame = 0; frame < FRAMES; frame++) {
            frames.add(Tensors.random(random, frameShape));
        }
        for (Device device : TestEngines.exact()) {
            List<Map<String, Tensor>> expected = new ArrayList<>();
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                OnnxStream stream = new OnnxStream(session, states);
                frames.forEach(frame -> expected.add(copies(stream.run(Map.of("x", frame)))));
            }
            try (OnnxSession session = sequences.model().session(device, EngineOptions.DEFAULT)) {
                for (int atOnce = 1; atOnce <= FRAMES; atOnce += 2) {
                    OnnxStream stream = new OnnxStream(session, states);
                    for (int first = 0; first < FRAMES; first += atOnce) {
                        List<Tensor> group = frames.subList(first, Math.min(FRAMES, first + atOnce));
                        int[] counts = new int[N];
                        Arrays.fill(counts, group.size());
                        Map<String, Tensor> found = stream.run(
                                Map.of("x", joined(group, rowAxis), sequences.counts(), Tensor.of(counts, N)));
                        String what = device + ", frames " + first + " of groups of " + atOnce;
                        int last = first + group.size() - 1;
                        states.values()
                                .forEach(state -> Tensors.assertSame(
                                        what + ": " + state, expected.get(last).get(state), found.get(state)));
                        List<Tensor> results = new ArrayList<>();
                        for (int frame = first; frame <= last; frame++) {
                            results.add(expected.get(frame).get("p"));
                        }
                        Tensors.assertSame(what, joined(results, axes.outputs().get("p")), found.get("p"));
                    }
                }
                assertEndedStreamsKeepTheirStates(sequences, session, states, frames, rowAxis, expected, axes);
            }
        }
    }

    /** Stream {@code n} has {@code 2·n} frames. */
    private static void assertEndedStreamsKeepTheirStates(
            SequenceModel sequences,
            OnnxSession session,
            Map<String, String> states,
            List<Tensor> frames,
            int rowAxis,
            List<Map<String, Tensor>> expected,
            RowAxes axes) {
        int[] counts = new int[N];
        for (int row = 0; row < N; row++) {
            counts[row] = 2 * row;
        }
        OnnxStream stream = new OnnxStream(session, states);
        Map<String, Tensor> found = Map.of();
        for (int first = 0; first < FRAMES; first += 3) { // in the last group all streams have ended
            List<Tensor> group = frames.subList(first, Math.min(FRAMES, first + 3));
            int begin = first;
            int[] left = Arrays.stream(counts)
                    .map(count -> Math.max(0, Math.min(group.size(), count - begin)))
                    .toArray();
            found = stream.run(Map.of("x", joined(group, rowAxis), sequences.counts(), Tensor.of(left, N)));
        }
        Map<String, Tensor> last = found;
        states.forEach((input, output) -> {
            int axis = axes.outputs().get(output);
            for (int row = 1; row < N; row++) {
                Tensor whole = expected.get(counts[row] - 1).get(output);
                assertEquals(row(whole, axis, row), row(last.get(output), axis, row), output + " of stream " + row);
            }
            assertEquals(
                    0,
                    row(last.get(output), axis, 0).stream().filter(v -> v != 0).count());
        });
    }

    private static List<Float> row(Tensor tensor, int axis, int row) {
        List<Float> values = new ArrayList<>();
        int inner = 1;
        for (int k = axis + 1; k < tensor.rank(); k++) {
            inner *= (int) tensor.dimension(k);
        }
        int rows = (int) tensor.dimension(axis);
        for (int k = 0; k < tensor.elementCount(); k++) {
            if (k / inner % rows == row) {
                values.add(tensor.floats().get(k));
            }
        }
        return values;
    }

    private static Map<String, Tensor> copies(Map<String, Tensor> tensors) {
        Map<String, Tensor> copies = new HashMap<>();
        tensors.forEach((name, tensor) -> copies.put(name, joined(List.of(tensor), 0)));
        return copies;
    }

    /** The tensors one after the other along an axis before which all axes have size 1. */
    private static Tensor joined(List<Tensor> parts, int axis) {
        long[] shape = parts.get(0).shape();
        assertTrue(Arrays.stream(shape).limit(axis).allMatch(size -> size == 1) || parts.size() == 1);
        shape[axis] *= parts.size();
        ByteBuffer bytes = Tensor.allocate(Tensor.size(parts.get(0).type(), shape));
        parts.forEach(part -> bytes.put(part.bytes()));
        return new Tensor(parts.get(0).type(), bytes.flip(), shape);
    }

    private void assertNone(GraphProto.Builder graph, Map<String, String> states, long[] frameShape, String reason) {
        OnnxModel model = OnnxModel.open(Protos.write(folder, graph));
        RowAxes axes = model.rows(Map.of("x", frameShape)).axes().orElseThrow();
        SequencePlan plan = model.sequences(states, axes);
        assertTrue(plan.model().isEmpty());
        assertTrue(plan.reason().contains(reason), plan.reason());
    }
}
