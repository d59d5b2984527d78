package io.github.cellfuse.format;

import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.torch.SafetensorsFile;
import java.util.List;
import java.util.Optional;

/**
 * A model with everything else that is known of the file it was read from. Immutable.
 *
 * @param format the format of the file
 * @param version the program that saved the file, such as {@code Keras 3.8.0}; empty where the file doesn't say
 * @param model the LSTM
 * @param part the part of the file that the model was read from: its exact prefix or the names of its layers
 * @param otherTensors the tensors that the model doesn't use, in a format that stores tensors under names
 * @param otherLayers the layers that the model doesn't include, such as {@code Dense 'head'}, in a format that stores
 *     layers
 * @param remarks differences between the model's outputs and those of the program that saved it, one sentence each
 */
public record ModelFile(
        ModelFormat format,
        Optional<String> version,
        LstmModel model,
        ModelPart part,
        List<SafetensorsFile.Tensor> otherTensors,
        List<String> otherLayers,
        List<String> remarks) {
    public ModelFile {
        otherTensors = List.copyOf(otherTensors);
        otherLayers = List.copyOf(otherLayers);
        remarks = List.copyOf(remarks);
    }
}
