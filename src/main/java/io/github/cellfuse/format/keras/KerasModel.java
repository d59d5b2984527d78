package io.github.cellfuse.format.keras;

import io.github.cellfuse.LstmModel;
import java.util.List;

/**
 * An LSTM out of a file of Keras. Immutable.
 *
 * @param model the LSTM
 * @param version of the Keras that saved it, as it says
 * @param layers the names of the layers that were read, the lowest first
 * @param others the model's other layers, as {@code Dense 'head'}
 * @param remarks one sentence for each way in which the outputs differ from Keras'
 */
public record KerasModel(
        LstmModel model, String version, List<String> layers, List<String> others, List<String> remarks) {
    public KerasModel {
        layers = List.copyOf(layers);
        others = List.copyOf(others);
        remarks = List.copyOf(remarks);
    }
}
