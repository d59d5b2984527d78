package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integers;
import static io.github.cellfuse.onnx.graph.Protos.longs;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.scaled;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random graphs of LSTMs and other nodes, wired at random: cut, they give what ONNX Runtime gives on the whole of them.
 */
class RandomGraphTest {
    private static final int GRAPHS = 150, T = 3, N = 2, H = 4;

    /** Sums of sums grow: of values up to some tens a float32's last places are that large. */
    private static final double TOLERANCE = 5e-5;

    @TempDir
    Path folder;

    private GraphProto.Builder graph;
    private Random random;
    private List<String> values;
    private List<String> states;

    @Test
    void givesWhatOnnxRuntimeGives() {
        long seed = TestEngines.seed(5000);
        System.out.println("RandomGraphTest: -Dcellfuse.seed=" + seed);
        int cut = 0, several = 0;
        for (int k = 0; k < GRAPHS; k++) {
            String what = "-Dcellfuse.seed=" + (seed + k);
            random = new Random(seed + k);
            Path path = build();
            Map<String, Tensor> inputs =
                    Map.of("x", Tensors.random(random, T, N, H), "z", Tensors.random(random, T, N, H));
            Map<String, Tensor> expected = GraphOracle.whole(path, inputs);
            OnnxModel model = OnnxModel.open(path);
            cut += model.parts().size() > 2 ? 1 : 0;
            several += model.lstms().stream().anyMatch(part -> part.nodes().size() > 1) ? 1 : 0;
            Device device = k % 10 == 0 ? Device.OPENCL : Device.JAVA;
            Map<String, Tensor> given = new HashMap<>(inputs);
            given.keySet()
                    .retainAll(model.inputs().stream().map(GraphValue::name).toList());
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                for (int run = 0; run < 2; run++) {
                    session.runInPlace(given)
                            .forEach((name, found) ->
                                    Tensors.assertClose(what + " " + name, expected.get(name), found, TOLERANCE));
                }
            }
        }
        assertTrue(
                cut > GRAPHS / 3 && several > GRAPHS / 10, cut + " graphs in many parts, " + several + " with chains");
    }

    private Path build() {
        graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", H))
                .addInput(floats("z", "time", "batch", H))
                .addInitializer(longs("one", 1))
                .addInitializer(longs("flat", 0, 0, -1))
                .addInitializer(constant("narrow", scaled(random, 2 * H, H)));
        values = new ArrayList<>(List.of("x", "z"));
        states = new ArrayList<>();
        int nodes = 3 + random.nextInt(12);
        for (int k = 0; k < nodes; k++) {
            add("v" + k);
        }
        for (int k = 1 + random.nextInt(3); k > 0; k--) {
            String output = values.get(random.nextInt(values.size()));
            if (graph.getOutputList().stream().noneMatch(o -> o.getName().equals(output))) {
                graph.addOutput(floats(output, "time", "batch", H));
            }
        }
        if (!states.isEmpty() && random.nextBoolean()) {
            String state = any(states);
            graph.addOutput(floats(state, state.endsWith(".both") ? 2 : 1, "batch", H));
        }
        return Protos.write(folder, graph);
    }

    private String any(List<String> names) {
        return names.get(random.nextInt(names.size()));
    }

    /** The newest value more often than others, so that LSTMs come to stand on one another. */
    private String any() {
        return random.nextInt(3) > 0 ? values.get(values.size() - 1) : any(values);
    }

    private void add(String name) {
        switch (random.nextInt(6)) {
            case 0 -> graph.addNode(node("Add", name, List.of(any(), any()), List.of(name)));
            case 1 -> graph.addNode(node("Tanh", name, List.of(any()), List.of(name)));
            case 2 -> bidirectional(name);
            default -> forward(name);
        }
        values.add(name);
    }

    private void forward(String name) {
        weights(graph, name, random, 1, H, H);
        List<String> initial = states.isEmpty() || random.nextInt(3) > 0
                ? List.of()
                : List.of("", any(states.stream().toList()));
        if (!initial.isEmpty() && initial.get(1).endsWith(".both")) {
            initial = List.of();
        }
        graph.addNode(lstm(name, any(), H, initial, List.of(name + ".h")))
                .addNode(node("Squeeze", name + ".s", List.of(name + ".y", "one"), List.of(name)));
        states.add(name + ".h");
    }

    private void bidirectional(String name) {
        weights(graph, name, random, 2, H, H);
        graph.addNode(lstm(name, any(), H, List.of(), List.of(name + ".both"), Protos.bidirectional()))
                .addNode(node(
                        "Transpose",
                        name + ".t",
                        List.of(name + ".y"),
                        List.of(name + ".u"),
                        integers("perm", 0L, 2L, 1L, 3L)))
                .addNode(node("Reshape", name + ".r", List.of(name + ".u", "flat"), List.of(name + ".m")))
                .addNode(node("MatMul", name + ".w", List.of(name + ".m", "narrow"), List.of(name)));
        states.add(name + ".both");
    }
}
