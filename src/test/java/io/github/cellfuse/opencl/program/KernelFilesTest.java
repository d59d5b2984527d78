package io.github.cellfuse.opencl.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.engine.LooseKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KernelFilesTest {
    private static final int WIDTH = 120;

    @TempDir
    private Path folder;

    private static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("kernels"))) {
            return files.map(file -> file.getFileName().toString().replaceFirst("\\.cl$", ""))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            activations         | activations
            lstm_state          | activations, lstm_state
            roofline            | activations, weights, gate_product, roofline
            input_projection    | activations, cell_functions, lstm_cell, weights, gate_product, input_projection
            lstm_step           | activations, cell_functions, lstm_cell, weights, gate_product, step_parameters, lstm_step
            lstm_sequence_tiled | activations, cell_functions, lstm_cell, weights, step_parameters, gate_product_tiled, lstm_sequence_tiled
            """)
    void prerequisitesComeFirstAndInTheOrderOfTheList(String name, String expected) {
        assertEquals(expected, String.join(", ", KernelFiles.resolve(name).keySet()));
    }

    @ParameterizedTest
    @MethodSource("names")
    void everyFileComesOnceAndAfterWhatItRequires(String name) {
        Set<String> before = new HashSet<>();
        for (Map.Entry<String, String> file : KernelFiles.resolve(name).entrySet()) {
            List<String> required = KernelFiles.requirements(file.getValue());
            assertTrue(before.containsAll(required), file.getKey() + " requires " + required + ", found " + before);
            assertTrue(before.add(file.getKey()), "twice: " + file.getKey());
        }
    }

    @Test
    void everyFileBelongsToAProgram() throws IOException {
        Set<String> texts = new HashSet<>();
        for (KernelSource source : KernelSource.values()) {
            texts.addAll(source.texts());
        }
        for (String name : names()) {
            assertTrue(texts.contains(Files.readString(Path.of("kernels", name + ".cl"))), name);
        }
    }

    /** So a file names all of its prerequisites, and each program compiles, as it is one of the files. */
    @Test
    void everyFileCompilesWithItsPrerequisitesAlone() throws IOException {
        ClDevice device = TestDevices.first();
        try (ClContext context = device.open()) {
            for (String name : names()) {
                List<String> texts = List.copyOf(KernelFiles.resolve(name).values());
                // Both staged sequences compile only with the input's product hoisted.
                context.program(name, texts, "-D HOISTED=1" + narrowOptions(name))
                        .close();
            }
        }
    }

    /** Work-items of narrow kernels have one unit, and those of persistent ones need room for their weights, too. */
    private static String narrowOptions(String name) {
        if (name.endsWith("persistent")) {
            return " -D VEC=1 -D PACK=4 -D RESIDENT_K=64";
        }
        return name.endsWith("narrow") || name.endsWith("registers") ? " -D VEC=1 -D PACK=4" : "";
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            unknown      | weights | // requires: activations | // requires: activations, wieghts | \
            kernel file wieghts.cl, required by weights.cl, can't be read from -Dcellfuse.kernels=
            itself       | weights | // requires: activations | // requires: weights | \
            kernel file weights.cl requires 'weights', which requires it in turn: gate_product -> weights -> weights
            a circle     | weights | // requires: activations | // requires: gate_product | \
            kernel file weights.cl requires 'gate_product', which requires it in turn: gate_product -> weights -> gate_product
            nothing      | weights | // requires: activations | // requires: | \
            kernel file .cl, required by weights.cl, can't be read from -Dcellfuse.kernels=
            """)
    void aNameThatIsUnknownOrCircularIsRefused(String what, String file, String before, String after, String message)
            throws IOException {
        LooseKernels.with(folder, file + ".cl", before, after, () -> {
            InvalidInputException e =
                    assertThrows(InvalidInputException.class, () -> KernelFiles.resolve("gate_product"));
            assertTrue(e.getMessage().startsWith(message), e.getMessage());
        });
    }

    @Test
    void aLooseFileThatIsAFolderIsRefused() throws IOException {
        LooseKernels.with(folder, "weights.cl", "// requires: activations", "// requires: activations", () -> {
            Path file = folder.resolve("weights.cl");
            assertTrue(file.toFile().delete() && file.toFile().mkdir());
            InvalidInputException e =
                    assertThrows(InvalidInputException.class, () -> KernelFiles.resolve("gate_product"));
            assertEquals("kernel file " + file + ": expected a file", e.getMessage());
        });
    }

    @Test
    void looseFilesAreResolvedByTheirOwnLines() throws IOException {
        LooseKernels.with(folder, "roofline.cl", "gate_product\n", "cell_functions, gate_product\n", () -> {
            assertEquals(
                    List.of("activations", "cell_functions", "weights", "gate_product", "roofline"),
                    List.copyOf(KernelFiles.resolve("roofline").keySet()));
        });
    }

    @ParameterizedTest
    @MethodSource("names")
    void linesFitTheWidth(String name) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("kernels", name + ".cl"));
        for (int n = 0; n < lines.size(); n++) {
            int number = n + 1,
                    width = lines.get(n).codePointCount(0, lines.get(n).length());
            assertTrue(width <= WIDTH, () -> name + ".cl:" + number + ": " + width + " columns");
        }
    }
}
