package io.github.cellfuse.onnx.shape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Extent;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.graph.ModelText;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.RowPieces;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random graphs: where the rows are proven to be independent, pieces of them give what all of them give. */
@Tag("extended")
class RandomRowsTest {
    private static final int GRAPHS = Extent.cases(300, 5000);

    /** The part of the graphs that must be proven, and that must not, or the test would show nothing. */
    private static final double LEAST = 0.25;

    /** ONNX Runtime's optimizer forgets now and then that a branch needs a value if other nodes only need its shape. */
    private static final String FORGOTTEN = "is not a graph input, initializer, or output of a previous node";

    @TempDir
    Path folder;

    @Test
    void piecesGiveWhatAllRowsGive() throws IOException {
        long seed = TestEngines.seed(9000);
        System.out.println("RandomRowsTest: -Dcellfuse.seed=" + seed);
        int proven = 0;
        for (int k = 0; k < GRAPHS; k++) {
            proven += check(seed + k) ? 1 : 0;
        }
        int unproven = GRAPHS - proven;
        assertTrue(
                Math.min(proven, unproven) >= LEAST * GRAPHS,
                proven + " graphs with independent rows, " + unproven + " without");
    }

    /** Returns whether the rows of a graph are proven to be independent, after checking that they are. */
    private boolean check(long seed) throws IOException {
        Random random = new Random(seed);
        RandomRows graph = new RandomRows(random);
        String what = "-Dcellfuse.seed=" + seed + "\n" + graph.inputs + "\n" + graph.nodes + "\n" + graph.outputs;
        Path path = Files.write(
                folder.resolve("model.onnx"),
                ModelText.model(17, graph.inputs.toString(), graph.nodes.toString(), graph.outputs.toString(), random)
                        .toByteArray());
        OnnxModel model = OnnxModel.open(path);
        RowProof proof = random.nextBoolean() ? model.rows() : model.rows(graph.shapes);
        if (proof.axes().isEmpty()) {
            return false;
        }
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        graph.shapes.forEach((name, shape) -> inputs.put(name, RowPieces.random(ElementType.FLOAT32, random, shape)));
        RowAxes axes = proof.axes().get();
        int rows = RowPieces.rows(axes, inputs);
        boolean isSame = axes.inputs().entrySet().stream()
                .allMatch(each -> inputs.get(each.getKey()).dimension(each.getValue()) == rows);
        if (isSame) {
            Optional<String> difference;
            try {
                difference = RowPieces.difference(model, axes, inputs, random);
            } catch (RuntimeException e) {
                if (e.getMessage().contains(FORGOTTEN)) {
                    return false;
                }
                throw new AssertionError(what + "\n" + axes, e);
            }
            assertEquals(Optional.empty(), difference, () -> what + "\n" + axes);
        }
        return isSame;
    }
}
