package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.onnx.Onnx.ModelProto;

/**
 * Opens models in ONNX Runtime, if it is available. It is an optional dependency, and a class that refers to its
 * classes can't be loaded without them.
 */
final class OrtLibrary {
    private static final String ARTIFACT = "com.microsoft.onnxruntime:onnxruntime:1.29.0";

    private OrtLibrary() {}

    /**
     * Opens a model in ONNX Runtime.
     *
     * @param label the model's name in messages
     * @throws io.github.cellfuse.InvalidInputException when ONNX Runtime rejects the model
     * @throws CellFuseException when ONNX Runtime is missing
     */
    static OrtGraph open(ModelProto model, String label) {
        require(label);
        return OrtGraph.open(model, label, true);
    }

    /**
     * Opens a model without optimization: ONNX Runtime then computes nothing yet, so that sizes can be checked first.
     */
    static OrtGraph openUnoptimized(ModelProto model, String label) {
        require(label);
        return OrtGraph.open(model, label, false);
    }

    private static void require(String purpose) {
        try {
            Class<?> environment = Class.forName("ai.onnxruntime.OrtEnvironment");
            environment.getMethod("getEnvironment").invoke(null);
        } catch (ClassNotFoundException e) {
            throw new CellFuseException(
                    purpose + ": expected ONNX Runtime, found none on the class path; add " + ARTIFACT, e);
        } catch (ReflectiveOperationException | LinkageError e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new CellFuseException(
                    purpose + ": ONNX Runtime's native library can't be loaded (" + cause + "); " + ARTIFACT
                            + " supports Linux (x86-64, ARM64), macOS (ARM64) and Windows (x86-64)",
                    e);
        }
    }
}
