package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models with one mistake: what ONNX Runtime refuses, we refuse, too, except for the kinds that {@code docs/onnx.md}
 * lists with their reasons.
 */
@Tag("extended")
class MutatedGraphTest {
    private static final int ROUNDS = 300;
    private static final long LARGEST = 20_000;

    /**
     * Parts of ONNX Runtime's messages about models that we open: docs/onnx.md says why. The shapes and the opset of
     * nodes that no result needs, or that are absorbed by an LSTM, aren't checked.
     */
    private static final List<String> LENIENT =
            List.of("hidden_size", "ConstantFill", "No Op registered for", "ShapeInferenceError");

    @TempDir
    Path folder;

    private static List<ModelProto> models() throws IOException {
        List<ModelProto> models = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/onnx"))) {
            for (Path file : files.sorted().toList()) {
                if (file.toString().endsWith(".onnx") && Files.size(file) <= LARGEST) {
                    models.add(ModelProto.parseFrom(Files.readAllBytes(file)));
                }
            }
        }
        return models;
    }

    /** Why a model is refused, in one line; empty if it isn't. */
    private static String refusal(String what, Runnable opening) {
        try {
            opening.run();
            return "";
        } catch (InvalidInputException e) {
            assertEquals(1, e.getMessage().lines().count(), what + e.getMessage());
            return e.getMessage();
        } catch (RuntimeException | Error e) {
            return fail(what + e, e);
        }
    }

    @Test
    void oneMistake() throws IOException {
        long seed = TestEngines.seed(20);
        Random random = new Random(seed);
        List<ModelProto> models = models();
        Map<String, Integer> accepted = new TreeMap<>();
        int refused = 0, rounds = Extent.cases(ROUNDS, 20 * ROUNDS);
        for (int round = 0; round < rounds; round++) {
            GraphMutator.Mutant mutant = GraphMutator.of(models.get(random.nextInt(models.size())), random);
            String what = "round " + round + " with -Dcellfuse.seed=" + seed + ", " + mutant.change() + ": ";
            Path file = Files.write(folder.resolve("m.onnx"), mutant.model().toByteArray());
            String runtime =
                    refusal(what, () -> OrtLibrary.open(mutant.model(), "whole").close());
            String found = refusal(
                    what,
                    () -> OnnxModel.open(file)
                            .session(Device.JAVA, EngineOptions.DEFAULT)
                            .close());
            refused += found.isEmpty() ? 0 : 1;
            if (!runtime.isEmpty() && found.isEmpty()) {
                String reason = LENIENT.stream()
                        .filter(runtime::contains)
                        .findFirst()
                        .orElseGet(() -> fail(what + "ONNX Runtime refuses it: " + runtime));
                accepted.merge(reason, 1, Integer::sum);
            }
        }
        System.err.println("MutatedGraphTest: refused " + refused + " of " + rounds + "; only ONNX Runtime refused "
                + accepted + "; -Dcellfuse.seed=" + seed);
        assertTrue(refused > rounds / 2, "refused only " + refused + " of " + rounds);
    }
}
