package io.github.cellfuse.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JavaRunTest {
    private static final LanguageModel LANGUAGE = LanguageModel.load();

    @Test
    void theLogitsAreThoseOfJavaWithTheSameWeights() {
        Map<String, Tensor> inputs =
                Map.of(LanguageModel.TOKENS, LANGUAGE.tokens(List.of(LANGUAGE.words("I live in Japan."))));
        EngineOptions options = EngineOptions.DEFAULT.withWeights(WeightPrecision.BF16);
        try (JavaRun run = JavaRun.start(LANGUAGE, inputs, WeightPrecision.BF16);
                OnnxSession session = LANGUAGE.graph().session(Device.JAVA, options)) {
            assertEquals(
                    session.run(inputs).get(LanguageModel.LOGITS).bytes(),
                    run.logits().bytes());
        }
    }

    @Test
    void aFailureIsThrownWhereTheLogitsAreNeeded() {
        try (JavaRun run = JavaRun.start(LANGUAGE, Map.of(), WeightPrecision.F32)) {
            String message =
                    assertThrows(InvalidInputException.class, run::logits).getMessage();
            assertTrue(message.contains(LanguageModel.TOKENS), message);
        }
    }

    @Test
    void closingThrowsNothing() {
        JavaRun.start(LANGUAGE, Map.of(), WeightPrecision.F32).close();
    }
}
