package io.github.cellfuse.format;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.torch.SafetensorsIndex;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What CellFuse doesn't read as a model, with what to do about it. Files are recognized by their content. */
enum OtherFormat {
    TORCHSCRIPT(
            "a TorchScript program",
            start -> TorchPickle.save(
                    start.path(),
                    "torch.jit.load(" + TorchPickle.python(start.path().toString())
                            + ", map_location=\"cpu\").state_dict()"),
            start -> start.hasEntry("(.*/)?data\\.pkl") && start.hasEntry("(.*/)?(constants\\.pkl|code/.*)")),
    EXPORTED(
            "a program that torch.export saved (.pt2)",
            start -> TorchPickle.save(
                    start.path(),
                    "torch.export.load(" + TorchPickle.python(start.path().toString()) + ").state_dict"),
            start -> start.hasEntry("(.*/)?(serialized_exported_program\\.json|archive_format)")),
    PYTORCH("a PyTorch checkpoint", TorchPickle::advice, start -> start.hasEntry("(.*/)?data\\.pkl")),
    LEGACY_PYTORCH("an old PyTorch checkpoint", TorchPickle::advice, TorchPickle::isLegacy),
    PICKLE(
            "a Python pickle",
            "load it in Python and, if it holds a PyTorch module, save that with"
                    + " safetensors.torch.save_file(module.state_dict(), \"model.safetensors\")",
            start -> start.at(0) == 0x80 && start.at(1) >= 2 && start.at(1) <= 5),
    ORT("an ONNX Runtime model (.ort)", "use the .onnx file that it was converted from", start -> start.has(4, "ORTM")),
    TFLITE(
            "a TensorFlow Lite model (.tflite)",
            "use the Keras model (.keras, .h5) that it was converted from",
            start -> start.has(4, "TFL3")),
    /** The format has no signature, and its fields have the types of an ONNX model's. */
    SAVED_MODEL(
            "a TensorFlow SavedModel",
            "save the model with model.save(\"model.keras\"), or convert it with python -m tf2onnx.convert"
                    + " --saved-model FOLDER --output model.onnx",
            start -> start.path().endsWith("saved_model.pb")),
    GGUF("a GGUF model", "export the original model as .safetensors or .onnx", start -> start.has(0, "GGUF")),
    NPY(
            "a NumPy array (.npy)",
            "an array is input: the model comes before it, as in cellfuse run MODEL x.npy -o y.npy",
            start -> start.has(0, "\u0093NUMPY")),
    NPZ(
            "NumPy arrays (.npz)",
            "arrays are input: the model comes before them, as in cellfuse run MODEL x.npz -o y.npy",
            start -> !start.entries().isEmpty() && start.entries().stream().allMatch(name -> name.endsWith(".npy"))),
    ARROW(
            "an Arrow file",
            "it is input: the model comes before it, as in cellfuse run MODEL x.arrow -o y.npy",
            start -> start.has(0, "ARROW1")),
    LFS_POINTER(
            start -> "a Git LFS pointer to a file" + size(start) + ", which wasn't downloaded",
            start -> "fetch it with git lfs install && git lfs pull, or download the file itself",
            start -> start.has(0, "version https://git-lfs.github.com/spec/")),
    HTML(
            "a web page",
            "download the file itself (on the Hugging Face Hub, its address has resolve in place of blob)",
            FileStart::isHtml),
    GZIP(
            "a file compressed by gzip",
            "unpack it (gunzip, or tar -xzf) and use the model in it",
            start -> start.has(0, "\37\u008b")),
    ARCHIVE(
            "an archive or compressed file (tar, xz, bzip2, Zstandard or 7z)",
            "unpack it and use the model in it",
            start -> start.isTar()
                    || Stream.of("\u00fd7zXZ\0", "BZh", "(\u00b5/\u00fd", "7z\u00bc\u00af\47\34")
                            .anyMatch(signature -> start.has(0, signature))),
    /** Not Keras': an incomplete archive of that kind is for its reader. */
    ZIP(
            start -> "a zip archive of " + Problems.some(start.entries()),
            start -> "unpack it and use the model in it",
            start -> !start.entries().isEmpty()
                    && !start.hasEntry("(config|metadata)\\.json|model\\.weights\\.(h5|json)")),
    JSON(
            "JSON, which holds no weights",
            "use the file that holds the model's weights",
            start -> start.isJson() && !SafetensorsIndex.isIndex(start.path())),
    TEXT(
            start -> "a text that begins with " + Problems.quote(firstLine(start)),
            start -> "use the file that holds the model's weights",
            start -> start.text().isPresent() && !start.isJson());

    private static final String SAVED_MODEL_FILE = "saved_model.pb";

    /** Enough to recognize an error of a server. */
    private static final int MOST_OF_A_LINE = 40;

    private static final Pattern SIZE = Pattern.compile("\nsize ([0-9]{1,18})\n");

    private final Function<FileStart, String> description;
    private final Function<FileStart, String> advice;
    private final Predicate<FileStart> matches;

    OtherFormat(
            Function<FileStart, String> description, Function<FileStart, String> advice, Predicate<FileStart> matches) {
        this.description = description;
        this.advice = advice;
        this.matches = matches;
    }

    OtherFormat(String description, Function<FileStart, String> advice, Predicate<FileStart> matches) {
        this(start -> description, advice, matches);
    }

    OtherFormat(String description, String advice, Predicate<FileStart> matches) {
        this(start -> description, start -> advice, matches);
    }

    /** Returns the format of a file or folder, if it is one of these. */
    static Optional<OtherFormat> of(Path path) {
        if (Files.isDirectory(path)) {
            return Files.exists(path.resolve(SAVED_MODEL_FILE)) ? Optional.of(SAVED_MODEL) : Optional.empty();
        }
        FileStart start = FileStart.of(path);
        return start.isSafetensors()
                ? Optional.empty()
                : Stream.of(values())
                        .filter(format -> format.matches.test(start))
                        .findFirst();
    }

    /** Returns the exception for a file of this format where a model was expected. */
    InvalidInputException refusal(Path path) {
        FileStart start = FileStart.of(path);
        return Problems.invalid(
                path,
                "expected .safetensors, .keras, .h5 or .onnx, found " + description.apply(start) + "; "
                        + advice.apply(start));
    }

    private static String size(FileStart start) {
        Matcher size = SIZE.matcher(start.latin());
        return size.find() ? " of " + size.group(1) + " bytes" : "";
    }

    private static String firstLine(FileStart start) {
        String line = start.text().orElse("").lines().findFirst().orElse("");
        return line.length() <= MOST_OF_A_LINE ? line : line.substring(0, MOST_OF_A_LINE) + "...";
    }
}
