package io.github.cellfuse.format.keras;

import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * LSTMs in models that Keras saved, as {@code model.keras} (Keras 3, and 2 from 2.12 on) or {@code model.h5} (Keras 2, and 3's
 * {@code model.save("model.h5")}).
 *
 * <p>Read are the layers {@code LSTM} and {@code Bidirectional(LSTM, merge_mode="concat")} of Sequential and Functional models, one after
 * the other, with layers between them that change nothing when the model isn't trained (Dropout and the like). Keras stacks the gates in
 * the order i, f, c, o, which is CellFuse's own; its kernels {@code [I,4H]} and {@code [H,4H]} are turned. Weights in float16
 * are read exactly, those in float64 rounded to the nearest float32, and everything is computed in float32.
 *
 * <p>A layer with {@code go_backwards} outside of a Bidirectional runs in {@link io.github.cellfuse.Direction#REVERSE reverse}. Keras gives
 * its outputs from the last step to the first, and CellFuse in the order of the input; the layers above it are turned accordingly, so
 * that a stack computes what it computes in Keras.
 *
 * <pre>{@code
 * LstmModel model = KerasLstm.load(Path.of("model.keras"));
 * }</pre>
 */
public final class KerasLstm {
    private KerasLstm() {}

    /**
     * The LSTM of a model that is nothing but LSTM layers.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't one of Keras' or is damaged, the model has other layers (the
     *     message lists them) or none, or a setting that CellFuse doesn't compute
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static LstmModel load(Path path) {
        return read(path, Optional.empty()).model();
    }

    /**
     * The LSTM that some layers of a model make.
     *
     * @param layers their names, the lowest first; each reads the one before it
     * @throws io.github.cellfuse.InvalidInputException as {@link #load(Path)}, and when there are no such layers, or others between them
     */
    public static LstmModel load(Path path, List<String> layers) {
        return read(path, Optional.of(layers)).model();
    }

    /**
     * The same with what there is to know beside.
     *
     * @param layers as in {@link #load(Path, List)}, or empty: as in {@link #load(Path)}
     */
    public static KerasModel read(Path path, Optional<List<String>> layers) {
        return KerasFile.read(path, layers);
    }
}
