package io.github.cellfuse.format;

import java.util.List;
import java.util.Optional;

/**
 * Selects one LSTM in a file that holds more. Immutable.
 *
 * @param prefix what precedes {@code weight_ih_l0} in the tensor names of a {@code .safetensors} file, such as
 *     {@code encoder.rnn}; the last dot may be left out
 * @param layers the names of a Keras model's LSTM layers, from the input up
 */
public record ModelPart(Optional<String> prefix, Optional<List<String>> layers) {
    /** The only LSTM in a file. */
    public static final ModelPart WHOLE = new ModelPart(Optional.empty(), Optional.empty());

    public ModelPart {
        layers = layers.map(List::copyOf);
    }

    /** Returns the LSTM whose tensor names start with {@code prefix}. */
    public static ModelPart ofPrefix(String prefix) {
        return new ModelPart(Optional.of(prefix), Optional.empty());
    }

    /** Returns the LSTM that consists of these layers of a Keras model, from the input up. */
    public static ModelPart ofLayers(String... layers) {
        return new ModelPart(Optional.empty(), Optional.of(List.of(layers)));
    }
}
