package io.github.cellfuse.format.keras;

import io.jhdf.api.Group;
import java.util.List;

/** Finds a model's arrays. Keras has two layouts. */
sealed interface WeightStore permits NamedWeights, NumberedWeights {
    /**
     * The arrays of one LSTM.
     *
     * @param group what the paths start from
     * @param paths kernel, recurrent kernel and, where there is one, bias
     */
    record Arrays(Group group, List<String> paths) {}

    /** Returns the file. */
    Hdf5File file();

    /**
     * The arrays of a layer for each of its directions.
     *
     * @throws io.github.cellfuse.InvalidInputException when they are missing, or others than the settings ask for
     */
    List<Arrays> arrays(KerasLayer layer, List<LstmSettings> settings);
}
