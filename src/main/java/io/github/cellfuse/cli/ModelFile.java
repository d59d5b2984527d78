package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.keras.KerasLstm;
import io.github.cellfuse.format.keras.KerasModel;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.onnx.OnnxLstm;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model and the file that it was read from.
 *
 * @param path the file
 * @param format what kind of file it is
 * @param version of the program that saved it; empty where the file doesn't tell
 * @param model the LSTM
 * @param prefix what stands before its tensors' names; empty where nothing does
 * @param layers the names of its layers; none where they have none
 * @param otherTensors the file's tensors that aren't the LSTM's; none where the format has layers
 * @param otherLayers the model's layers that aren't the LSTM's, as {@code Dense 'head'}
 * @param remarks what there is to know about the outputs, a sentence each
 */
public record ModelFile(
        Path path,
        ModelFormat format,
        Optional<String> version,
        LstmModel model,
        String prefix,
        List<String> layers,
        List<SafetensorsFile.Tensor> otherTensors,
        List<String> otherLayers,
        List<String> remarks) {
    private static final String FIRST = "weight_ih_l0";

    /**
     * Reads a model.
     *
     * @param prefix the option {@code --prefix}
     * @param layers the option {@code --layers}
     */
    public static ModelFile read(Path path, Optional<String> prefix, Optional<List<String>> layers) {
        ModelFormat format = ModelFormat.of(path);
        return switch (format) {
            case SAFETENSORS -> {
                refuse(
                        "--layers",
                        layers,
                        "Keras file",
                        path,
                        "a .safetensors file's LSTMs are told apart by --prefix");
                yield safetensors(path, prefix);
            }
            case KERAS -> {
                refuse("--prefix", prefix, ".safetensors file", path, "a Keras model's layers are named by --layers");
                yield keras(path, layers);
            }
            case ONNX -> {
                refuse("--prefix", prefix, ".safetensors file", path, "an .onnx file's LSTMs are read together");
                refuse("--layers", layers, "Keras file", path, "an .onnx file's LSTMs are read together");
                yield new ModelFile(
                        path,
                        ModelFormat.ONNX,
                        Optional.empty(),
                        OnnxLstm.load(path),
                        "",
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of());
            }
        };
    }

    private static void refuse(String option, Optional<?> given, String expected, Path path, String advice) {
        if (given.isPresent()) {
            throw new InvalidInputException(
                    option + ": expected with a " + expected + ", found with " + path + "; " + advice);
        }
    }

    private static ModelFile safetensors(Path path, Optional<String> prefix) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            LstmModel model = PyTorchLstm.load(file, prefix);
            List<String> own = PyTorchLstm.tensors(file, prefix);
            List<SafetensorsFile.Tensor> others = file.tensors().values().stream()
                    .filter(tensor -> !own.contains(tensor.name()))
                    .toList();
            return new ModelFile(
                    path,
                    ModelFormat.SAFETENSORS,
                    Optional.empty(),
                    model,
                    prefixOf(own),
                    List.of(),
                    others,
                    List.of(),
                    List.of());
        }
    }

    /** Every LSTM that could be loaded has this tensor. */
    private static String prefixOf(List<String> tensors) {
        return tensors.stream()
                .filter(name -> name.endsWith(FIRST))
                .map(name -> name.substring(0, name.length() - FIRST.length()))
                .findFirst()
                .orElse("");
    }

    private static ModelFile keras(Path path, Optional<List<String>> layers) {
        KerasModel read = KerasLstm.read(path, layers);
        return new ModelFile(
                path,
                ModelFormat.KERAS,
                Optional.of("Keras " + read.version()),
                read.model(),
                "",
                read.layers(),
                List.of(),
                read.others(),
                read.remarks());
    }
}
