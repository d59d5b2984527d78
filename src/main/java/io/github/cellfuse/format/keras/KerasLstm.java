package io.github.cellfuse.format.keras;

import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * LSTMs in models that Keras saved, as {@code model.keras} (Keras 3, and 2 from 2.12 on) or {@code model.h5} (Keras 2,
 * and 3's {@code model.save("model.h5")}).
 *
 * <p>Reads consecutive {@code LSTM} and {@code Bidirectional(LSTM, merge_mode="concat")} layers of Sequential and
 * Functional models. Layers between them may only be those that do nothing during inference (such as Dropout). Keras
 * stacks the gates in the order i, f, c, o, as CellFuse does; its kernels {@code [I,4H]} and {@code [H,4H]} are
 * transposed. Weights in float16 are read exactly, those in float64 rounded to the nearest float32, and everything is
 * computed in float32.
 *
 * <p>A layer with {@code go_backwards} outside of a Bidirectional runs in {@link io.github.cellfuse.Direction#REVERSE
 * reverse}. Keras returns its outputs from the last step to the first, CellFuse in the order of the input. The
 * directions of the layers above are changed accordingly, so that a stack computes the same as in Keras.
 *
 * <pre>{@code
 * LstmModel model = KerasLstm.load(Path.of("model.keras"));
 * }</pre>
 */
public final class KerasLstm {
    private KerasLstm() {}

    /**
     * Reads all LSTM layers of a model, which follow one another. Others may come before and after them.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't one of Keras' or is damaged, the model has
     *     no LSTM layers or several stacks of them (the message lists them), or a setting that CellFuse doesn't compute
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static LstmModel load(Path path) {
        return read(path, Optional.empty()).model();
    }

    /**
     * Reads some layers of a model.
     *
     * @param layers their names, the lowest first; each reads the one before it
     * @throws io.github.cellfuse.InvalidInputException as {@link #load(Path)}, and when there are no such layers, or
     *     others between them
     */
    public static LstmModel load(Path path, List<String> layers) {
        return read(path, Optional.of(layers)).model();
    }

    /**
     * Reads some layers of a model, with the names of the layers and remarks about the outputs.
     *
     * @param layers as in {@link #load(Path, List)}, or empty: as in {@link #load(Path)}
     */
    public static KerasModel read(Path path, Optional<List<String>> layers) {
        return KerasFile.read(path, layers);
    }
}
