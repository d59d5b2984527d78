package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.OptionalArray;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Optional;

/** A batch in memory, for commands that need all of it. */
public final class WholeBatch {
    private WholeBatch() {}

    /**
     * Reads x and the lengths of its rows.
     *
     * @param lengths the file with the number of steps of each row, or null
     * @throws io.github.cellfuse.InvalidInputException if they don't fit the model, or are too large for an array
     */
    public static LstmInput read(LstmModel model, LayoutOption layout, InputFile input, InputFile lengths) {
        try (SequenceInput opened = SequenceInput.open(input, layout, model.inputSize());
                OptionalArray valid = OptionalArray.open(lengths)) {
            ArraySource x = opened.x();
            RunShape of = RunShape.of(model, layout, x);
            if (of.rows() < 1) {
                throw new InvalidInputException(x.name() + ": expected at least 1 row, found none");
            }
            RunInput source = new RunInput(of, x, valid.array(), Optional.empty(), Optional.empty());
            int size = Sizes.elements(x.name() + ": input [N,T,I]", of.rows(), of.steps(), model.inputSize());
            int rows = (int) of.rows();
            FloatBuffer features = FloatBuffer.allocate(size);
            source.readInput(0, rows, of.steps(), features);
            LstmInput batch = LstmInput.of(of.layout(), features.rewind(), rows, of.steps());
            return source.readLengths(0, rows).map(batch::withLengths).orElse(batch);
        }
    }
}
