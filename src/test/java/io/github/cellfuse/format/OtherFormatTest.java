package io.github.cellfuse.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of formats that CellFuse doesn't read are named, whatever the name of the file. */
class OtherFormatTest {
    private static final Path SAFETENSORS = Path.of("examples/sunspots/model.safetensors");
    private static final Path ONNX = Path.of("src/test/resources/onnx/lstm_bidirectional.onnx");
    private static final Path GRAPH = Path.of("src/test/resources/onnx/tagger.onnx");

    private static final Path CHECKPOINTS = Path.of("src/test/resources/checkpoints");

    @TempDir
    Path folder;

    /** A file's content, its format, and what the message says. */
    record Sample(OtherFormat format, byte[] content, String... words) {
        @Override
        public String toString() {
            return format + " of " + content.length + " bytes";
        }
    }

    static List<Sample> samples() throws IOException {
        return List.of(
                new Sample(
                        OtherFormat.PYTORCH,
                        zip("model/data.pkl", "model/byteorder", "model/data/0", "model/version"),
                        "a PyTorch checkpoint",
                        "save_file(torch.load("),
                new Sample(OtherFormat.PYTORCH, zip("archive/data.pkl", "archive/.data/serialization_id")),
                new Sample(
                        OtherFormat.TORCHSCRIPT,
                        zip("m/data.pkl", "m/code/__torch__/rnn.py", "m/constants.pkl"),
                        "a TorchScript program",
                        "torch.jit.load"),
                new Sample(OtherFormat.TORCHSCRIPT, zip("m/code/__torch__.py", "m/data.pkl")),
                new Sample(
                        OtherFormat.EXPORTED,
                        zip("serialized_exported_program.json", "serialized_state_dict.pt", "version"),
                        "torch.export",
                        "torch.export.load("),
                new Sample(OtherFormat.EXPORTED, zip("m/archive_format", "m/models/model.json", "m/data/weights/w")),
                new Sample(
                        OtherFormat.LEGACY_PYTORCH,
                        bytes(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'),
                        "an old PyTorch checkpoint",
                        "save_file(torch.load("),
                new Sample(
                        OtherFormat.PICKLE, bytes(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46), "pickle", "save_file"),
                new Sample(OtherFormat.PICKLE, bytes(0x80, 4, 0x95, 0x20, 0, 0, 0, 0, 0, 0, 0, 0x8c, 5)),
                new Sample(OtherFormat.PICKLE, bytes(0x80, 5, 'K', 1, '.')),
                new Sample(OtherFormat.ORT, at4("ORTM"), "an ONNX Runtime model", "use the .onnx file"),
                new Sample(OtherFormat.TFLITE, at4("TFL3"), "a TensorFlow Lite model", "use the Keras model"),
                new Sample(OtherFormat.GGUF, bytes('G', 'G', 'U', 'F', 3, 0, 0, 0), "a GGUF model", "export"),
                new Sample(OtherFormat.JSON, text("{\"model_type\": \"lstm\"}"), "JSON", "weights"),
                new Sample(OtherFormat.JSON, text("\n  [1, 2]\n")),
                new Sample(OtherFormat.JSON, text("{\n  \"größe\": 1\n}")),
                new Sample(OtherFormat.JSON, text("{}")),
                // The index of a checkpoint that isn't .safetensors.
                new Sample(OtherFormat.JSON, text("{\"weight_map\": {\"w\": \"pytorch_model-00001-of-00002.bin\"}}")),
                new Sample(OtherFormat.NPY, bytes(0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0), "NumPy", "run MODEL x.npy"),
                new Sample(OtherFormat.NPZ, zip("x.npy", "y.npy"), "NumPy arrays", "run MODEL x.npz"),
                new Sample(OtherFormat.ARROW, text("ARROW1\0\0"), "an Arrow file"),
                new Sample(
                        OtherFormat.LFS_POINTER,
                        text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 987654321\n"),
                        "a Git LFS pointer to a file of 987654321 bytes, which wasn't downloaded",
                        "git lfs pull"),
                new Sample(OtherFormat.HTML, text("\n<!doctype html>\n<html>"), "a web page", "download the file"),
                new Sample(OtherFormat.HTML, text("\ufeff<HTML><body>")),
                new Sample(OtherFormat.HTML, text("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>")),
                new Sample(OtherFormat.GZIP, bytes(0x1f, 0x8b, 8, 0), "compressed by gzip", "gunzip"),
                new Sample(OtherFormat.ARCHIVE, bytes(0xfd, '7', 'z', 'X', 'Z', 0, 0, 4), "an archive", "unpack it"),
                new Sample(OtherFormat.ARCHIVE, bytes('B', 'Z', 'h', '9', '1', 'A')),
                new Sample(OtherFormat.ARCHIVE, bytes(0x28, 0xb5, 0x2f, 0xfd, 4)),
                new Sample(OtherFormat.ARCHIVE, bytes('7', 'z', 0xbc, 0xaf, 0x27, 0x1c, 0)),
                new Sample(OtherFormat.ARCHIVE, tar()),
                new Sample(
                        OtherFormat.ZIP,
                        zip("m/model.safetensors", "m/README"),
                        "a zip archive of 'm/model.safetensors', 'm/README'",
                        "unpack it"),
                new Sample(OtherFormat.TEXT, text("Entry not found"), "a text that begins with 'Entry not found'"),
                new Sample(OtherFormat.TEXT, text("é".repeat(300)), "begins with '" + "é".repeat(40) + "...'"),
                new Sample(OtherFormat.TEXT, text("x" + "é".repeat(300))));
    }

    private static byte[] tar() {
        byte[] bytes = new byte[1024];
        System.arraycopy(text("model.pt"), 0, bytes, 0, 8);
        System.arraycopy(text("ustar"), 0, bytes, 257, 5);
        return bytes;
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int k = 0; k < bytes.length; k++) {
            bytes[k] = (byte) values[k];
        }
        return bytes;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] at4(String signature) {
        byte[] bytes = new byte[100];
        bytes[0] = 0x1c;
        System.arraycopy(text(signature), 0, bytes, 4, 4);
        return bytes;
    }

    private static byte[] zip(String... names) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (String name : names) {
                zip.putNextEntry(new ZipEntry(name));
                zip.write(1);
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    private static void assertRefused(Path file, String... words) {
        String message = assertThrows(InvalidInputException.class, () -> ModelFiles.read(file))
                .getMessage();
        assertTrue(message.startsWith(file + ": expected .safetensors, .keras, .h5 or .onnx, found "), message);
        Arrays.stream(words).forEach(word -> assertTrue(message.contains(word), message));
        assertEquals(1, message.lines().count());
    }

    @ParameterizedTest
    @MethodSource("samples")
    void isNamedWhateverTheFileIsCalled(Sample sample) throws IOException {
        for (String name :
                List.of("model.pt", "model.onnx", "model.safetensors", "model.keras", "pytorch_model.bin", "x")) {
            Path file = Files.write(folder.resolve(name), sample.content());
            assertEquals(sample.format(), OtherFormat.of(file).orElseThrow(), name);
            assertRefused(file, sample.words());
        }
    }

    @Test
    void everyFormatHasASample() throws IOException {
        Set<OtherFormat> formats = EnumSet.of(OtherFormat.SAVED_MODEL); // has no content of its own
        samples().forEach(sample -> formats.add(sample.format()));
        assertEquals(EnumSet.allOf(OtherFormat.class), formats);
    }

    /** What PyTorch saved, with the expression by which PyTorch gets the tensors back. */
    static List<String[]> checkpoints() throws IOException {
        return Files.readAllLines(CHECKPOINTS.resolve("expressions.tsv")).stream()
                .map(line -> line.split("\t"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("checkpoints")
    void hasTheLinesThatSaveACheckpointsTensors(String name, String expression) {
        Path file = CHECKPOINTS.resolve(name);
        Path saved = CHECKPOINTS.resolve(name.substring(0, name.lastIndexOf('.')) + ".safetensors");
        assertRefused(
                file,
                "import torch; from safetensors.torch import save_file; save_file("
                        + expression.replace(name, file.toString()) + ", \"" + saved + "\")");
        String message = assertThrows(InvalidInputException.class, () -> ModelFiles.read(file))
                .getMessage();
        assertEquals(expression.contains("weights_only=False"), message.contains("somebody you trust"), message);
    }

    @Test
    void aPickleThatIsNoCheckpointIsOne() {
        assertRefused(CHECKPOINTS.resolve("numbers.pkl"), "found a Python pickle; load it in Python");
    }

    @Test
    void namesOfFilesAreTextsOfPython() throws IOException {
        Path file = Files.write(folder.resolve("a\"b\\c.pt"), zip("model/data.pkl"));
        assertRefused(file, "/a\\\"b\\\\c.pt\", map_location", "/a\\\"b\\\\c.safetensors\")");
    }

    @Test
    void namesASavedModelAndItsFolder() throws IOException {
        Path model = Files.createDirectories(folder.resolve("saved"));
        Path file = Files.write(model.resolve("saved_model.pb"), bytes(8, 1, 0x12, 2, 0x0a, 0));
        for (Path path : List.of(model, file)) {
            assertRefused(path, "a TensorFlow SavedModel", "model.save(\"model.keras\")", "tf2onnx");
        }
        assertTrue(OtherFormat.of(folder).isEmpty());
    }

    @Test
    void everyCommandNamesIt() throws IOException {
        Path model = Files.write(folder.resolve("model.pt"), zip("model/data.pkl"));
        Path x = NpyFiles.zeros(folder.resolve("x.npy"), 1, 2, 3), out = folder.resolve("y.npy");
        Object[][] commands = {
            {"info", model},
            {"run", model, x, "-o", out},
            {"verify", model},
            {"convert", model, "-o", folder.resolve("m.onnx")},
            {"tune", model}
        };
        for (Object[] command : commands) {
            Cli.run(command).assertError(2, model, "found a PyTorch checkpoint; save its tensors in Python");
        }
    }

    /** The length of a safetensors header can be the bytes of any signature that isn't longer. */
    @Test
    void aHeadersLengthIsNoSignature() throws IOException {
        byte[] content = Files.readAllBytes(SAFETENSORS);
        int header =
                (int) ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
        List<Integer> lengths = List.of(
                0x10480, // a pickle of protocol 4
                0x227b, // {"
                0x205b, // [ and a space
                0x0808, // an ONNX model's version
                0x4b50); // PK
        for (int length : lengths) {
            ByteArrayOutputStream padded = new ByteArrayOutputStream();
            padded.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(length)
                    .array());
            padded.write(content, 8, header);
            padded.write(" ".repeat(length - header).getBytes(StandardCharsets.US_ASCII));
            padded.write(content, 8 + header, content.length - 8 - header);
            Path file = Files.write(folder.resolve("padded"), padded.toByteArray());
            assertTrue(OtherFormat.of(file).isEmpty(), "length " + length);
            assertEquals(ModelFormat.SAFETENSORS, ModelFormat.of(file), "length " + length);
            assertEquals(2, ModelFiles.read(file).layerCount());
        }
    }

    @Test
    void leavesTheOwnFormatsAlone() throws IOException {
        for (String file : List.of(
                SAFETENSORS.toString(),
                ONNX.toString(),
                GRAPH.toString(),
                "src/test/resources/keras/stack_3.keras",
                "src/test/resources/keras/stack_2.h5")) {
            assertTrue(OtherFormat.of(Path.of(file)).isEmpty(), file);
        }
        // Damaged or unknown files are for the readers, which know more about them.
        for (byte[] content : List.of(new byte[0], bytes('P', 'K', 3, 4, 9), zip("config.json"))) {
            assertTrue(OtherFormat.of(Files.write(folder.resolve("f"), content)).isEmpty());
        }
        assertTrue(OtherFormat.of(folder.resolve("none.pt")).isEmpty());
    }

    /** The Hugging Face Hub's cache keeps files under their hashes. */
    @Test
    void anOnnxModelNeedsNoEnding() throws IOException {
        Path lstm = Files.copy(ONNX, folder.resolve("8f1c2d")), graph = Files.copy(GRAPH, folder.resolve("graph.bin"));
        assertEquals(ModelFormat.ONNX, ModelFormat.of(lstm));
        assertEquals(ModelFiles.read(ONNX).parameters(), ModelFiles.read(lstm).parameters());
        assertTrue(Cli.run("info", graph).assertDone().out().contains("ONNX Runtime: 1 node (Gather)"));
        Cli.run(
                        "run",
                        graph,
                        "src/test/resources/onnx/tagger.npz:tokens",
                        "-o",
                        folder.resolve("y.npy"),
                        "--device",
                        "java")
                .assertDone();
        // Not one that is cut off, nor one without a graph.
        byte[] content = Files.readAllBytes(ONNX);
        Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(content, content.length / 2));
        Path empty = Files.write(folder.resolve("empty"), bytes(8, 8));
        for (Path file : List.of(cut, empty)) {
            assertEquals(ModelFormat.SAFETENSORS, ModelFormat.of(file));
            Cli.run("info", file).assertError(2, file, "the name of a model file ends in");
        }
    }
}
