package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads kernel files and what they require. The first line of a file may name its prerequisites:
 *
 * <pre>{@code // requires: activations, weights}</pre>
 *
 * <p>A program is its file after all of its prerequisites, direct and indirect, each of them once.
 */
final class KernelFiles {
    /** Kernel files are read from this folder if the property is set: to try a kernel without building the jar. */
    private static final String FOLDER_PROPERTY = "cellfuse.kernels";

    private static final String REQUIRES = "// requires:";

    private final Map<String, String> texts = new LinkedHashMap<>();
    /** The files whose prerequisites are being read, each required by the one before it. */
    private final Deque<String> path = new ArrayDeque<>();

    private KernelFiles() {}

    /**
     * Returns the texts of the file {@code name} and of its prerequisites by their names, in the order in which they
     * are compiled: each file after its prerequisites, which are in the order that it lists them.
     *
     * @throws CellFuseException if a file can't be read or requires itself
     */
    static Map<String, String> resolve(String name) {
        KernelFiles files = new KernelFiles();
        files.add(name);
        return files.texts;
    }

    /** Returns the names on the first line of {@code text}. */
    static List<String> requirements(String text) {
        String first = text.lines().findFirst().orElse("");
        return first.startsWith(REQUIRES)
                ? Stream.of(first.substring(REQUIRES.length()).split(","))
                        .map(String::strip)
                        .toList()
                : List.of();
    }

    private void add(String name) {
        if (texts.containsKey(name)) {
            return;
        }
        if (path.contains(name)) {
            throw new InvalidInputException("kernel file " + path.getLast() + ".cl requires '" + name
                    + "', which requires it in turn: " + String.join(" -> ", path) + " -> " + name);
        }
        String text = read(name);
        path.addLast(name);
        requirements(text).forEach(this::add);
        path.removeLast();
        texts.put(name, text);
    }

    /** Returns the folder that replaces the kernels of the jar, if there is one. */
    static Optional<String> folder() {
        return Optional.ofNullable(System.getProperty(FOLDER_PROPERTY));
    }

    private String read(String name) {
        String folder = folder().orElse(null);
        String file = name + ".cl", required = path.isEmpty() ? "" : ", required by " + path.getLast() + ".cl,";
        try {
            if (folder != null) {
                Path replaced = Path.of(folder, file);
                if (Files.exists(replaced) && !Files.isRegularFile(replaced)) {
                    throw new InvalidInputException("kernel file " + replaced + ": expected a file");
                }
                return Files.readString(replaced);
            }
            try (InputStream in = KernelFiles.class.getResourceAsStream("/kernels/" + file)) {
                if (in == null) {
                    throw new CellFuseException(
                            "kernels/" + file + required + " is not on the class path: the jar is incomplete");
                }
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        } catch (IOException e) {
            throw new InvalidInputException(
                    "kernel file " + file + required + " can't be read"
                            + (folder == null ? "" : " from -D" + FOLDER_PROPERTY + "=" + folder) + ": "
                            + e.getMessage(),
                    e);
        }
    }
}
