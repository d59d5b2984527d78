package io.github.cellfuse.onnx;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.io.IOException;
import java.net.URI;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;

/**
 * The models that {@code src/test/python/make_onnx_cases.py} had PyTorch export, and what the tests of this package
 * share.
 */
final class Cases {
    private Cases() {}

    /** A model, or the arrays beside it. */
    static Path file(String name) {
        return Path.of(URI.create(Objects.requireNonNull(Cases.class.getResource("/onnx/" + name), name)
                .toString()));
    }

    /** The names of all cases. */
    static List<String> names() {
        try (Stream<Path> files = Files.list(file("README.md").getParent())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".onnx"))
                    .map(name -> name.substring(0, name.length() - ".onnx".length()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An array of a case, with its shape. */
    record Array(long[] shape, float[] values) {
        int dimension(int k) {
            return (int) shape[k];
        }
    }

    /** Whether the case has an array of this name. */
    static boolean has(String name, String array) {
        try (NpzArchive archive = NpzArchive.open(file(name + ".npz"))) {
            return archive.names().contains(array);
        }
    }

    static Array array(String name, String array) {
        try (NpzArchive archive = NpzArchive.open(file(name + ".npz"));
                NpyArray values = archive.array(array)) {
            FloatBuffer buffer = FloatBuffer.allocate((int) values.elementCount());
            values.read(0, buffer);
            return new Array(values.shape(), buffer.array());
        }
    }

    /** The action is refused in one line that holds every one of {@code parts}. */
    static void assertRefused(Executable action, Object... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        assertFalse(message.contains("\n"), message);
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), "expected '" + part + "' in: " + message);
        }
    }
}
