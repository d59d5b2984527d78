package io.github.cellfuse.opencl.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Kernel files with one passage changed, read instead of the real ones. */
public final class LooseKernels {
    private static final String PROPERTY = "cellfuse.kernels";

    private LooseKernels() {}

    /** Does {@code action} with copies of all kernel files, changed wherever they have {@code before}. */
    public static void withEach(Path folder, String before, String after, Runnable action) throws IOException {
        List<String> files = new ArrayList<>();
        for (Path original : copies(folder)) {
            if (Files.readString(original).contains(before)) {
                files.add(original.getFileName().toString());
            }
        }
        run(folder, files, before, after, action);
    }

    /**
     * Does {@code action} with copies of all kernel files in {@code folder}, {@code before} replaced by {@code after}
     * in {@code file}.
     */
    public static void with(Path folder, String file, String before, String after, Runnable action) throws IOException {
        copies(folder);
        run(folder, List.of(file), before, after, action);
    }

    private static List<Path> copies(Path folder) throws IOException {
        List<Path> copies = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("kernels"))) {
            for (Path original : files.toList()) {
                copies.add(Files.copy(original, folder.resolve(original.getFileName())));
            }
        }
        return copies;
    }

    private static void run(Path folder, List<String> files, String before, String after, Runnable action)
            throws IOException {
        for (String file : files) {
            Path changed = folder.resolve(file);
            String text = Files.readString(changed);
            if (!text.contains(before)) {
                throw new AssertionError("kernels/" + file + " has no '" + before + "' any more");
            }
            Files.writeString(changed, text.replace(before, after));
        }
        System.setProperty(PROPERTY, folder.toString());
        try {
            action.run();
        } finally {
            System.clearProperty(PROPERTY);
        }
    }
}
