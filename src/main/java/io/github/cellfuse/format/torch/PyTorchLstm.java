package io.github.cellfuse.format.torch;

import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * LSTMs in {@code .safetensors} files under the names that {@code torch.nn.LSTM} gives its tensors. With {@code I}
 * inputs, {@code H} hidden units and hidden states of {@code P} values ({@code P = H} without a projection), layer
 * {@code k} has
 *
 * <table>
 * <caption>Tensors</caption>
 * <tr><td>{@code weight_ih_l{k}}</td><td>{@code [4H,I]}; {@code [4H,D·P]} above the first layer</td></tr>
 * <tr><td>{@code weight_hh_l{k}}</td><td>{@code [4H,P]}</td></tr>
 * <tr><td>{@code bias_ih_l{k}}, {@code bias_hh_l{k}}</td><td>{@code [4H]}; in every layer, or in none</td></tr>
 * <tr><td>{@code weight_hr_l{k}}</td><td>{@code [P,H]}, with {@code proj_size} alone</td></tr>
 * </table>
 *
 * <p>and the same once more with {@code _reverse} when it is bidirectional. The gates are stacked in the order i, f, g,
 * o, which is CellFuse's own: nothing is reordered. A {@code torch.nn.LSTMCell}, whose tensors are called
 * {@code weight_ih}, {@code weight_hh}, {@code bias_ih} and {@code bias_hh}, is read as one layer. The same names with
 * 3H or H rows are a GRU's or a plain RNN's and are not taken for an LSTM's. Other tensors in the file, such as a head,
 * don't matter.
 *
 * <pre>{@code
 * LstmModel model = PyTorchLstm.load(Path.of("model.safetensors"));
 * }</pre>
 */
public final class PyTorchLstm {
    private PyTorchLstm() {}

    /**
     * Reads the only LSTM in a file.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't a whole {@code .safetensors} file, holds no
     *     LSTM or several, or a tensor is missing, unknown, of another shape or of a dtype other than F32, F16, BF16
     *     and F64
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static LstmModel load(Path path) {
        return load(path, Optional.empty());
    }

    /**
     * Reads an LSTM from a file that may have several.
     *
     * @param prefix what comes before {@code weight_ih_l0} (or {@code weight_ih}) in its tensors' names, such as
     *     {@code encoder.rnn.} (the last dot may be left out); or empty: the only one there is
     * @throws io.github.cellfuse.InvalidInputException as {@link #load(Path)}; the message lists the prefixes that
     *     there are
     */
    public static LstmModel load(Path path, Optional<String> prefix) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            return load(file, prefix);
        }
    }

    /** Reads an LSTM from an open file, which stays open. */
    public static LstmModel load(SafetensorsFile file, Optional<String> prefix) {
        return new TorchLstmReader(file, new TorchModules(file).choose(prefix)).model();
    }

    /**
     * Returns the names of the tensors that {@link #load(SafetensorsFile, Optional)} reads, in the order of the file.
     */
    public static List<String> tensors(SafetensorsFile file, Optional<String> prefix) {
        return new TorchModules(file)
                .choose(prefix).stream().map(TorchName::toString).toList();
    }

    /**
     * Writes a model so that {@link #load} gives it back with the same bits, and {@code torch.nn.LSTM} can load it.
     *
     * <p>PyTorch has both biases or neither. A model with one of them alone gets another of -0, which changes no bit
     * when it is added.
     *
     * @param target the file's final name
     * @param overwrite whether a file of that name may be replaced
     * @param prefix what to put before the names, such as {@code lstm.}; may be empty
     * @throws io.github.cellfuse.InvalidInputException when the model only runs in reverse, which PyTorch has no name
     *     for, or the target can't be written
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static void save(LstmModel model, Path target, boolean overwrite, String prefix) {
        TorchLstmWriter.collect(model, target, prefix).write(target, overwrite);
    }
}
