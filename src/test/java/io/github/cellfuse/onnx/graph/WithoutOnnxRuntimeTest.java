package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A class path without ONNX Runtime: what doesn't need it works, and what does says so. */
class WithoutOnnxRuntimeTest {
    private static final Path FOLDER = Path.of("src/test/resources/onnx");

    /** Runs in a class path of its own; a public class with a public method, to be called from outside. */
    public static final class Inside {
        private Inside() {}

        /** Runs a model on zeros; the message of what went wrong, or null. */
        public static String run(String name, long... shape) {
            try {
                OnnxModel model = OnnxModel.open(FOLDER.resolve(name));
                Tensor x = Tensor.zeros(model.inputs().get(0).type().orElseThrow(), shape);
                try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
                    session.run(Map.of(model.inputs().get(0).name(), x));
                }
                return null;
            } catch (CellFuseException e) {
                return e.getMessage();
            }
        }
    }

    private static String run(boolean hasRuntime, String name, long... shape)
            throws IOException, ReflectiveOperationException {
        URL[] classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> hasRuntime || !entry.contains("onnxruntime"))
                .map(WithoutOnnxRuntimeTest::url)
                .toArray(URL[]::new);
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
            thread.setContextClassLoader(loader); // devices are found through it
            return (String) loader.loadClass(Inside.class.getName())
                    .getMethod("run", String.class, long[].class)
                    .invoke(null, name, shape);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void anLstmAloneNeedsNone() throws Exception {
        assertEquals(null, run(false, "lstm.onnx", 6, 4, 3));
    }

    @Test
    void aGraphNeedsItAndSaysWhichArtifact() throws Exception {
        String message = run(false, "tagger.onnx", 4, 6);
        assertTrue(message.contains("tagger.onnx: part 1 of 3"), message);
        assertTrue(message.contains("add com.microsoft.onnxruntime:onnxruntime:"), message);
        assertEquals(1, message.lines().count());
    }

    @Test
    void aLibraryThatDoesNotFitIsNamed(@TempDir Path empty) throws Exception {
        String property = "onnxruntime.native.path";
        System.setProperty(property, empty.toString());
        try {
            String message = run(true, "tagger.onnx", 4, 6);
            assertTrue(
                    message.contains("tagger.onnx: part 1 of 3: ONNX Runtime's native library can't be loaded"),
                    message);
            assertTrue(message.contains("com.microsoft.onnxruntime:onnxruntime:"), message);
            assertEquals(1, message.lines().count());
        } finally {
            System.clearProperty(property);
        }
    }
}
