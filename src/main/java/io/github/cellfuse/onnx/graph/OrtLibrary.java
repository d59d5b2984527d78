package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Opens models in ONNX Runtime, if it is available. It is an optional dependency, and a class that refers to its
 * classes can't be loaded without them.
 */
final class OrtLibrary {
    private static final String ARTIFACT = "com.microsoft.onnxruntime:onnxruntime:1.29.0";

    /** Room for a command line of 500 000 characters. Only what is used takes memory. */
    private static final long STACK = 256L << 20;

    private static boolean isCreated;

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
            createEnvironment();
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

    /**
     * Creates ONNX Runtime's environment, once for the process, on a thread with a large stack: for its telemetry, ONNX
     * Runtime 1.29 matches the process's command line with regular expressions that recurse for each character. On an
     * ordinary stack of 1 MiB, a class path of 4000 characters ends the process without a word.
     */
    private static synchronized void createEnvironment() throws ReflectiveOperationException {
        if (isCreated) {
            return;
        }
        Class<?> environment = Class.forName("ai.onnxruntime.OrtEnvironment", false, OrtLibrary.class.getClassLoader());
        FutureTask<Object> creation = new FutureTask<>(() -> {
            Class.forName(environment.getName(), true, environment.getClassLoader());
            return environment.getMethod("getEnvironment").invoke(null);
        });
        Thread thread = new Thread(null, creation, "cellfuse-onnxruntime", STACK);
        thread.setDaemon(true);
        thread.start();
        try {
            creation.get();
            isCreated = true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LinkageError error) {
                throw error;
            }
            throw e.getCause() instanceof ReflectiveOperationException reflective
                    ? reflective
                    : new InvocationTargetException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CellFuseException("interrupted while ONNX Runtime was loaded", e);
        }
    }
}
