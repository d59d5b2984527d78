package io.github.cellfuse.format;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.ZipArchive;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Formats of models that CellFuse doesn't read, with what to do about them. Files are recognized by their content. */
enum OtherFormat {
    TORCHSCRIPT(
            "a TorchScript program",
            "save its tensors with safetensors.torch.save_file(torch.jit.load(FILE).state_dict(),"
                    + " \"model.safetensors\")",
            start -> start.hasEntry("(.*/)?data\\.pkl") && start.hasEntry("(.*/)?(constants\\.pkl|code/.*)")),
    PYTORCH(
            "a PyTorch checkpoint",
            "save its tensors with safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")",
            start -> start.hasEntry("(.*/)?data\\.pkl")),
    PICKLE(
            "a Python pickle, such as an old PyTorch checkpoint",
            "load it in Python and save its tensors with safetensors.torch.save_file(model.state_dict(),"
                    + " \"model.safetensors\")",
            start -> start.at(0) == 0x80 && start.at(1) >= 2 && start.at(1) <= 5),
    ORT(
            "an ONNX Runtime model (.ort)",
            "use the .onnx file that it was converted from",
            start -> start.hasText(4, "ORTM")),
    TFLITE(
            "a TensorFlow Lite model (.tflite)",
            "use the Keras model (.keras, .h5) that it was converted from",
            start -> start.hasText(4, "TFL3")),
    SAVED_MODEL(
            "a TensorFlow SavedModel",
            "save the model with model.save(\"model.keras\"), or convert it with python -m tf2onnx.convert"
                    + " --saved-model FOLDER --output model.onnx",
            Start::isSavedModel),
    GGUF("a GGUF model", "export the original model as .safetensors or .onnx", start -> start.hasText(0, "GGUF")),
    JSON("JSON, which holds no weights", "use the file that holds the model's weights", Start::isJson);

    private static final String SAVED_MODEL_FILE = "saved_model.pb";

    private final String description;
    private final String advice;
    private final Predicate<Start> matches;

    OtherFormat(String description, String advice, Predicate<Start> matches) {
        this.description = description;
        this.advice = advice;
        this.matches = matches;
    }

    /** Returns the format of a file or folder, if it is one of these. */
    static Optional<OtherFormat> of(Path path) {
        if (Files.isDirectory(path)) {
            return Files.exists(path.resolve(SAVED_MODEL_FILE)) ? Optional.of(SAVED_MODEL) : Optional.empty();
        }
        Start start = Start.of(path);
        return start.isSafetensors()
                ? Optional.empty()
                : Stream.of(values())
                        .filter(format -> format.matches.test(start))
                        .findFirst();
    }

    /** Returns the exception for a file of this format where a model was expected. */
    InvalidInputException refusal(Path path) {
        return Problems.invalid(
                path, "expected .safetensors, .keras, .h5 or .onnx, found " + description + "; " + advice);
    }

    /**
     * How a file begins.
     *
     * @param bytes its first bytes
     */
    private record Start(Path path, byte[] bytes) {
        private static final int LENGTH = 64;

        /** The most bytes of a header that the readers of safetensors accept. */
        private static final long LONGEST_HEADER = 100_000_000;

        /** Returns the start of a file; that of an empty one if the file can't be read. */
        static Start of(Path path) {
            if (Files.isRegularFile(path)) {
                try (InputStream in = Files.newInputStream(path)) {
                    return new Start(path, in.readNBytes(LENGTH));
                } catch (IOException e) {
                    // The reader of the file's format reports it.
                }
            }
            return new Start(path, new byte[0]);
        }

        /** Returns a byte, or -1 after the end. */
        int at(int index) {
            return index < bytes.length ? Byte.toUnsignedInt(bytes[index]) : -1;
        }

        boolean hasText(int offset, String text) {
            return new String(bytes, StandardCharsets.ISO_8859_1).startsWith(text, offset);
        }

        /** The format has no signature, and its fields have the types of an ONNX model's. */
        boolean isSavedModel() {
            return path.endsWith(SAVED_MODEL_FILE);
        }

        /** A header's length can look like any signature, but its upper bytes are zeros and the header is JSON. */
        boolean isSafetensors() {
            if (at(Long.BYTES) != '{') {
                return false;
            }
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            return header > 0 && header <= LONGEST_HEADER;
        }

        boolean isJson() {
            String text = new String(bytes, StandardCharsets.ISO_8859_1).strip();
            return (text.startsWith("{") || text.startsWith("["))
                    && text.chars().allMatch(c -> c >= ' ' || Character.isWhitespace(c));
        }

        /** Returns whether this is a zip archive with an entry whose name matches. */
        boolean hasEntry(String pattern) {
            if (!hasText(0, "PK\3\4")) {
                return false;
            }
            try (ZipArchive archive = ZipArchive.open(path, "a zip archive")) {
                List<String> names = archive.names();
                return names.stream().anyMatch(name -> name.matches(pattern));
            } catch (CellFuseException e) {
                return false; // damaged: whoever reads it says so
            }
        }
    }
}
