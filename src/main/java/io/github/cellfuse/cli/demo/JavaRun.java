package io.github.cellfuse.cli.demo;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Undisturbed;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.Map;
import java.util.concurrent.Future;

/**
 * A run of the language model on the {@code java} device, untraced, whose bits other runs have to match. It has a
 * thread of its own: a device's compiler leaves the other cores idle, and the user waits for it anyway.
 */
final class JavaRun implements AutoCloseable {
    private final Future<Tensor> logits;

    private JavaRun(Future<Tensor> logits) {
        this.logits = logits;
    }

    /** Starts the run. */
    static JavaRun start(LanguageModel language, Map<String, Tensor> inputs, WeightPrecision weights) {
        EngineOptions options = EngineOptions.DEFAULT.withWeights(weights);
        return new JavaRun(Undisturbed.start("cellfuse-demo-java", () -> {
            try (OnnxSession session = language.graph().session(Device.JAVA, options)) {
                return session.run(inputs).get(LanguageModel.LOGITS);
            }
        }));
    }

    /** Waits for the logits, or throws what the run threw. */
    Tensor logits() {
        return Undisturbed.await(logits);
    }

    /** Waits for the end of the run, as a process must not end while native code runs. What it threw is left out. */
    @Override
    public void close() {
        try {
            logits();
        } catch (RuntimeException | Error e) {
            // The user hears of it from logits(), or of what went wrong before.
        }
    }
}
