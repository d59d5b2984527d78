package io.github.cellfuse.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzArchive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Java ends the reading of a file on an interrupted thread: the message must say that, and blame no file or disk. */
class InterruptedThreadTest {
    @TempDir
    Path folder;

    @AfterEach
    void leaveNoInterruptToTheNextTest() {
        Thread.interrupted();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "examples/sunspots/model.safetensors",
                "src/test/resources/onnx/tagger.onnx",
                "src/test/resources/keras/tagger_2.h5",
                "src/test/resources/keras/stack_3.keras"
            })
    void readingAModelSaysSo(Path model) throws Exception {
        assertInterrupted(model, () -> ModelFiles.read(model));
        // Its first bytes name the format, and can't be read.
        Path unnamed = Files.copy(model, folder.resolve("model"));
        assertInterrupted(unnamed, () -> ModelFiles.read(unnamed));
    }

    @Test
    void readingArraysSaysSo() {
        Path npy = Path.of("examples/sunspots/input.npy"), npz = Path.of("src/test/resources/onnx/tagger.npz");
        assertInterrupted(npy, () -> NpyArray.open(npy));
        assertInterrupted(npz, () -> NpzArchive.open(npz));
    }

    @Test
    void anInterruptedWriterLeavesNoFile() throws Exception {
        LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
        for (String name : List.of("m.safetensors", "m.onnx")) {
            Path target = folder.resolve(name);
            assertInterrupted(target, () -> ModelFiles.write(model, target, false));
        }
        Path text = folder.resolve("t.json");
        assertInterrupted(text, () -> TextFile.write(text, false, "{}"));
        Path npy = folder.resolve("y.npy");
        assertInterrupted(npy, () -> {
            try (NpyWriter writer = NpyWriter.create(npy, false, ElementType.FLOAT32, 2)) {
                writer.commit();
            }
        });
        try (var files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }

    private static void assertInterrupted(Path file, Executable call) {
        Thread.currentThread().interrupt();
        CellFuseException e = assertThrows(CellFuseException.class, call);
        assertTrue(Thread.interrupted(), "the interrupt is the caller's to handle");
        assertEquals(CellFuseException.class, e.getClass(), () -> "the file is blamed: " + e);
        assertTrue(
                e.getMessage().contains(file.toString()) && e.getMessage().contains("interrupted while"),
                e.getMessage());
    }
}
