package io.github.cellfuse.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.keras.KerasLstm;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.onnx.OnnxLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ModelFilesTest {
    private static final Path RESOURCES = Path.of("src/test/resources");
    private static final Path SAFETENSORS = Path.of("examples/sunspots/model.safetensors");
    private static final Path TWO_LSTMS = RESOURCES.resolve("format/two_lstms.safetensors");
    private static final Path KERAS = RESOURCES.resolve("keras/stack_3.keras");
    private static final Path HDF5 = RESOURCES.resolve("keras/stack_2.h5");
    private static final Path TAGGER = RESOURCES.resolve("keras/tagger_2.h5");
    private static final Path ONNX = RESOURCES.resolve("onnx/lstm_bidirectional.onnx");

    @TempDir
    Path folder;

    /** The same model makes the same file. */
    private void assertSame(LstmModel expected, LstmModel found) throws IOException {
        Path a = folder.resolve("expected.onnx"), b = folder.resolve("found.onnx");
        OnnxLstm.save(expected, a, true);
        OnnxLstm.save(found, b, true);
        assertEquals(-1, Files.mismatch(a, b));
    }

    private static void assertRefused(Executable action, Object... parts) {
        String message = assertThrows(InvalidInputException.class, action).getMessage();
        for (Object part : parts) {
            assertTrue(message.contains(part.toString()), () -> "expected '" + part + "' in: " + message);
        }
    }

    @Test
    void readsEveryFormat() throws IOException {
        assertSame(PyTorchLstm.load(SAFETENSORS), ModelFiles.read(SAFETENSORS));
        assertSame(KerasLstm.load(KERAS), ModelFiles.read(KERAS));
        assertSame(KerasLstm.load(HDF5), ModelFiles.read(HDF5));
        assertSame(OnnxLstm.load(ONNX), ModelFiles.read(ONNX));
    }

    @Test
    void readsPartOfAFile() throws IOException {
        LstmModel encoder = PyTorchLstm.load(TWO_LSTMS, Optional.of("encoder."));
        assertSame(encoder, ModelFiles.read(TWO_LSTMS, ModelPart.ofPrefix("encoder")));
        assertSame(
                KerasLstm.load(TAGGER, List.of("lstm", "bidirectional")),
                ModelFiles.read(TAGGER, ModelPart.ofLayers("lstm", "bidirectional")));
    }

    @Test
    void knowsAFileByItsContentWhateverItsName() throws IOException {
        Path archive = Files.copy(KERAS, folder.resolve("archive.safetensors"));
        Path hdf5 = Files.copy(HDF5, folder.resolve("hdf5"));
        Path tensors = Files.copy(SAFETENSORS, folder.resolve("tensors.bin"));
        assertSame(KerasLstm.load(KERAS), ModelFiles.read(archive));
        assertSame(KerasLstm.load(HDF5), ModelFiles.read(hdf5));
        assertSame(PyTorchLstm.load(SAFETENSORS), ModelFiles.read(tensors));
        assertEquals(ModelFormat.ONNX, ModelFormat.of(folder.resolve("MODEL.ONNX")));
    }

    @Test
    void refusesOtherFiles() throws IOException {
        Path text = Files.writeString(folder.resolve("model.txt"), "no model at all, but a text\n");
        assertRefused(() -> ModelFiles.read(text), text, "a text that begins with 'no model at all, but a text'");
        Path unknown = Files.write(folder.resolve("model"), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        assertRefused(
                () -> ModelFiles.read(unknown),
                unknown,
                "not a safetensors file",
                ".safetensors, .onnx, .keras or .h5");
        Path keras = Files.write(folder.resolve("model.keras"), new byte[] {1, 2, 3});
        assertRefused(() -> ModelFiles.read(keras), keras, "not a .keras or .h5 file");
        Path onnx = Files.copy(SAFETENSORS, folder.resolve("model.onnx"));
        assertRefused(() -> ModelFiles.read(onnx), onnx, "expected an ONNX file");
        assertRefused(() -> ModelFiles.read(folder), folder);
    }

    @Test
    void refusesMissingFiles() {
        for (String name : List.of("none.safetensors", "none.onnx", "none.keras", "none.h5", "none")) {
            Path path = folder.resolve(name);
            assertRefused(() -> ModelFiles.read(path), path, "no such file");
        }
    }

    @Test
    void sendsWholeGraphsToOnnxModel() {
        Path graph = RESOURCES.resolve("onnx/tagger.onnx");
        assertRefused(() -> ModelFiles.read(graph), graph, "Gather", "OnnxModel");
    }

    @Test
    void namesThePartsToChooseFrom() {
        assertRefused(() -> ModelFiles.read(TWO_LSTMS), TWO_LSTMS, "'encoder.', 'decoder.'");
        Path chains = RESOURCES.resolve("keras/refused_chains_3.keras");
        assertRefused(() -> ModelFiles.read(chains), chains, "--layers lstm,lstm_1 or --layers lstm_2");
    }

    @Test
    void refusesAPartThatTheFormatDoesNotHave() {
        ModelPart prefix = ModelPart.ofPrefix("lstm"), layers = ModelPart.ofLayers("lstm");
        assertRefused(() -> ModelFiles.read(TAGGER, prefix), TAGGER, ".safetensors files only", "--layers");
        assertRefused(() -> ModelFiles.read(SAFETENSORS, layers), SAFETENSORS, "Keras files only", "by its prefix");
        assertRefused(() -> ModelFiles.read(ONNX, prefix), ONNX, ".safetensors files only", "one model");
        assertRefused(() -> ModelFiles.read(ONNX, layers), ONNX, "Keras files only", "one model");
    }

    @Test
    void tellsWhatTheFileHolds() {
        ModelFile encoder = ModelFiles.inspect(TWO_LSTMS, ModelPart.ofPrefix("encoder"));
        assertEquals(ModelFormat.SAFETENSORS, encoder.format());
        assertEquals(ModelPart.ofPrefix("encoder."), encoder.part());
        assertTrue(encoder.otherTensors().stream().anyMatch(t -> t.name().equals("decoder.weight_ih_l0")));
        ModelFile tagger = ModelFiles.inspect(TAGGER, ModelPart.ofLayers("lstm", "bidirectional"));
        assertEquals(ModelFormat.KERAS, tagger.format());
        assertEquals(List.of("Embedding 'embedding'", "Dense 'head'"), tagger.otherLayers());
        assertEquals(
                Optional.of(List.of("lstm", "bidirectional")), tagger.part().layers());
        assertEquals(tagger.part(), ModelFiles.inspect(TAGGER, ModelPart.WHOLE).part());
        assertEquals(ModelFormat.ONNX, ModelFiles.inspect(ONNX, ModelPart.WHOLE).format());
    }

    @Test
    void writesWhatItReads() throws IOException {
        LstmModel model = ModelFiles.read(SAFETENSORS);
        for (String name : List.of("copy.safetensors", "copy.onnx")) {
            Path target = folder.resolve(name);
            ModelFiles.write(model, target, false);
            assertSame(model, ModelFiles.read(target));
            assertRefused(() -> ModelFiles.write(model, target, false), target);
            ModelFiles.write(model, target, true);
        }
        Path named = folder.resolve("named.safetensors");
        ModelFiles.write(model, named, ModelPart.ofPrefix("encoder.rnn"), false);
        assertEquals(
                ModelPart.ofPrefix("encoder.rnn."),
                ModelFiles.inspect(named, ModelPart.WHOLE).part());
    }

    @Test
    void refusesToWriteOtherFormats() {
        LstmModel model = ModelFiles.read(SAFETENSORS);
        Path keras = folder.resolve("m.keras"), onnx = folder.resolve("m.onnx");
        assertRefused(() -> ModelFiles.write(model, keras, false), keras, ".safetensors or .onnx");
        assertRefused(
                () -> ModelFiles.write(model, onnx, ModelPart.ofPrefix("lstm"), false),
                onnx,
                ".safetensors files only");
        assertFalse(Files.exists(keras) || Files.exists(onnx));
    }
}
