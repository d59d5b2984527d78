package io.github.cellfuse.format;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.keras.KerasLstm;
import io.github.cellfuse.format.keras.KerasModel;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.format.torch.SafetensorsIndex;
import io.github.cellfuse.onnx.OnnxLstm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and writes model files of every format.
 *
 * <pre>{@code
 * LstmModel model = ModelFiles.read(Path.of("model.safetensors"));
 * }</pre>
 *
 * <p>Reads {@code .safetensors} with PyTorch's names ({@link PyTorchLstm}), several of them by their
 * {@link SafetensorsIndex index}, {@code .keras} and {@code .h5} ({@link KerasLstm}), and {@code .onnx}
 * ({@link OnnxLstm}); other files are refused with what they are and what to do. Writes {@code .safetensors} and
 * {@code .onnx}. An {@code .onnx} file must hold a stack of LSTMs and nothing else; to run whole graphs, use
 * {@code io.github.cellfuse.onnx.graph.OnnxModel}.
 */
public final class ModelFiles {
    /** Every LSTM that PyTorch saved has a tensor of this name, and so has an LSTM cell. */
    private static final Pattern FIRST_TENSOR = Pattern.compile("(?<prefix>.*)weight_ih(_l0)?", Pattern.DOTALL);

    private ModelFiles() {}

    /**
     * Returns the only LSTM in a file.
     *
     * @throws io.github.cellfuse.InvalidInputException when there is no such file, it is damaged or has another format,
     *     it holds no LSTM or several, or the LSTM computes something that CellFuse doesn't
     * @throws io.github.cellfuse.CellFuseException when reading fails
     */
    public static LstmModel read(Path path) {
        return read(path, ModelPart.WHOLE);
    }

    /**
     * Returns the selected LSTM of a file that may hold more.
     *
     * @throws io.github.cellfuse.InvalidInputException as {@link #read(Path)}, and when {@code part} doesn't apply to
     *     the file's format or selects nothing
     * @throws io.github.cellfuse.CellFuseException when reading fails
     */
    public static LstmModel read(Path path, ModelPart part) {
        return inspect(path, part).model();
    }

    /**
     * Returns the selected LSTM with everything else that is known of the file.
     *
     * @throws io.github.cellfuse.InvalidInputException as {@link #read(Path, ModelPart)}
     * @throws io.github.cellfuse.CellFuseException when reading fails
     */
    public static ModelFile inspect(Path path, ModelPart part) {
        ModelFormat format = ModelFormat.of(path);
        check(path, format, part);
        return switch (format) {
            case SAFETENSORS -> safetensors(path, part);
            case KERAS -> keras(path, part);
            case ONNX ->
                new ModelFile(
                        format,
                        Optional.empty(),
                        OnnxLstm.load(path),
                        ModelPart.WHOLE,
                        List.of(),
                        List.of(),
                        List.of());
        };
    }

    /**
     * Writes a model in the format that the target's name ends in, {@code .safetensors} or {@code .onnx}.
     * {@link #read(Path)} returns a model that computes the same bits.
     *
     * @param target the file's final name; the complete file appears under this name, or none does
     * @param overwrite whether to replace an existing file
     * @throws io.github.cellfuse.InvalidInputException when the name ends otherwise, the format can't express the
     *     model, or the target can't be written
     * @throws io.github.cellfuse.CellFuseException when writing fails
     */
    public static void write(LstmModel model, Path target, boolean overwrite) {
        write(model, target, ModelPart.WHOLE, overwrite);
    }

    /**
     * Writes a model under a prefix; see {@link #write(LstmModel, Path, boolean)}.
     *
     * @param part the prefix for the tensor names in a {@code .safetensors} file
     * @throws io.github.cellfuse.InvalidInputException as {@link #write(LstmModel, Path, boolean)}, and when
     *     {@code part} doesn't apply to the target's format
     * @throws io.github.cellfuse.CellFuseException when writing fails
     */
    public static void write(LstmModel model, Path target, ModelPart part, boolean overwrite) {
        if (ModelFormat.ONNX.matches(target)) {
            check(target, ModelFormat.ONNX, part);
            OnnxLstm.save(model, target, overwrite);
        } else if (ModelFormat.SAFETENSORS.matches(target)) {
            check(target, ModelFormat.SAFETENSORS, part);
            PyTorchLstm.save(
                    model,
                    target,
                    overwrite,
                    part.prefix().map(ModelFiles::dotted).orElse(""));
        } else {
            throw Problems.invalid(target, "expected a name that ends in .safetensors or .onnx");
        }
    }

    private static void check(Path path, ModelFormat format, ModelPart part) {
        String advice = switch (format) {
            case SAFETENSORS -> "select an LSTM of a .safetensors file by its prefix (--prefix)";
            case KERAS -> "select the layers of a Keras model by their names (--layers)";
            case ONNX -> "the LSTMs of an .onnx file form one model";
        };
        if (part.prefix().isPresent() && format != ModelFormat.SAFETENSORS) {
            throw Problems.invalid(path, "a prefix (--prefix) applies to .safetensors files only; " + advice);
        }
        if (part.layers().isPresent() && format != ModelFormat.KERAS) {
            throw Problems.invalid(path, "names of layers (--layers) apply to Keras files only; " + advice);
        }
    }

    private static ModelFile safetensors(Path path, ModelPart part) {
        try (SafetensorsFile file = open(path)) {
            LstmModel model = PyTorchLstm.load(file, part.prefix());
            List<String> own = PyTorchLstm.tensors(file, part.prefix());
            List<SafetensorsFile.Tensor> others = file.tensors().values().stream()
                    .filter(tensor -> !own.contains(tensor.name()))
                    .toList();
            String prefix = own.stream()
                    .map(FIRST_TENSOR::matcher)
                    .filter(Matcher::matches)
                    .map(matcher -> matcher.group("prefix"))
                    .findFirst()
                    .orElse("");
            return new ModelFile(
                    ModelFormat.SAFETENSORS,
                    Optional.empty(),
                    model,
                    ModelPart.ofPrefix(prefix),
                    others,
                    List.of(),
                    List.of());
        }
    }

    /** A file whose name says nothing is read as {@code .safetensors}: if it is none, the message lists the formats. */
    private static SafetensorsFile open(Path path) {
        if (SafetensorsIndex.isIndex(path)) {
            // A clone without Git LFS has the index and pointers to the shards.
            SafetensorsIndex.read(path)
                    .shards()
                    .forEach(shard -> OtherFormat.of(shard).ifPresent(other -> {
                        throw other.refusal(shard);
                    }));
            return SafetensorsFile.open(path);
        }
        try {
            return SafetensorsFile.open(path);
        } catch (InvalidInputException e) {
            if (ModelFormat.SAFETENSORS.matches(path) || !Files.isRegularFile(path)) {
                throw e;
            }
            throw new InvalidInputException(
                    e.getMessage() + "; the name of a model file ends in .safetensors, .onnx, .keras or .h5", e);
        }
    }

    private static ModelFile keras(Path path, ModelPart part) {
        KerasModel read = KerasLstm.read(path, part.layers());
        return new ModelFile(
                ModelFormat.KERAS,
                Optional.of("Keras " + read.version()),
                read.model(),
                new ModelPart(Optional.empty(), Optional.of(read.layers())),
                List.of(),
                read.others(),
                read.remarks());
    }

    private static String dotted(String prefix) {
        return prefix.isEmpty() || prefix.endsWith(".") ? prefix : prefix + ".";
    }
}
