package io.github.cellfuse.cli.run;

import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.batch.ChunkSource;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An array that a run can write, by its name in an archive.
 *
 * @param blocks the positions of rows in the array
 * @param needsY whether its values are taken from y, and not only from the final states
 * @param values its values in the result of some rows, {@code [outer,rows,width]}
 */
record RunArray(String name, long[] shape, RowBlocks blocks, boolean needsY, Values values) {
    /** Takes the values of an array from the result of the rows that start at {@code firstRow}. */
    interface Values {
        FloatBuffer of(long firstRow, LstmOutput output);
    }

    /** Chosen if nothing else is; an archive gets the states as well. */
    private static final String Y = "y";

    /** Not in an archive unless it is chosen: most of it is in the states. */
    private static final String LAST = "last";

    /**
     * Returns the arrays to write into {@code target}: those that are named, or else y and, in an archive, the states.
     *
     * @param model the file of the model, for messages
     * @throws InvalidInputException if the model has no such array, or {@code target} holds one and several are named
     */
    static List<RunArray> chosen(RunShape shape, ChunkSource source, List<String> names, Path model, Path target) {
        List<RunArray> all = all(shape, source), chosen = new ArrayList<>();
        for (String name : names.stream().distinct().toList()) {
            chosen.add(all.stream()
                    .filter(array -> array.name.equals(name))
                    .findFirst()
                    .orElseThrow(() -> new InvalidInputException("--output-name: expected an output of " + model
                            + ", one of " + names(all) + ", found '" + name + "'")));
        }
        boolean isArchive = RunOutput.isArchive(target);
        if (chosen.isEmpty()) {
            return all.stream()
                    .filter(array -> isArchive ? !array.name.equals(LAST) : array.name.equals(Y))
                    .toList();
        }
        if (!isArchive && chosen.size() > 1) {
            throw new InvalidInputException(target + ": expected a name that ends in .npz, or one --output-name, found "
                    + chosen.size() + ": " + names(chosen));
        }
        return chosen;
    }

    private static String names(List<RunArray> arrays) {
        return String.join(", ", arrays.stream().map(RunArray::name).toList());
    }

    /** Returns all that a run can write: the outputs, the last of them in each row, the states. */
    private static List<RunArray> all(RunShape shape, ChunkSource source) {
        List<RunArray> all = new ArrayList<>();
        all.add(new RunArray(Y, shape.output(), shape.outputBlocks(), true, (firstRow, output) -> output.y()));
        boolean needsY = shape.model().last().direction() != Direction.FORWARD;
        all.add(new RunArray(LAST, shape.lastOutput(), shape.lastOutputBlocks(), needsY, (firstRow, output) -> {
            Optional<int[]> lengths = source.readLengths(firstRow, output.rows());
            return needsY ? lastOfY(output, lengths) : lastOfStates(shape.model(), output, lengths);
        }));
        shape.hidden().forEach(h -> all.add(states("h_n", shape, h, LstmState::h)));
        shape.cell().forEach(c -> all.add(states("c_n", shape, c, LstmState::c)));
        return all;
    }

    private static RunArray states(
            String name, RunShape shape, RunShape.States array, Function<LstmState, float[]> values) {
        return new RunArray(
                name + array.suffix(),
                shape.shape(array),
                array.blocks(shape.rows()),
                false,
                (firstRow, output) -> array.part(values.apply(output.finalState()), output.rows()));
    }

    /** Returns y after the last valid step of each row, {@code [rows,D·P]}; zeros for a row without steps. */
    private static FloatBuffer lastOfY(LstmOutput output, Optional<int[]> lengths) {
        int rows = output.rows(), steps = output.steps(), width = output.y().limit() / rows / steps;
        FloatBuffer last = FloatBuffer.allocate(rows * width);
        for (int row = 0; row < rows; row++) {
            int step = (lengths.isPresent() ? lengths.get()[row] : steps) - 1;
            if (step >= 0) {
                int place = output.layout() == Layout.BATCH_MAJOR ? row * steps + step : step * rows + row;
                last.put(row * width, output.y(), place * width, width);
            }
        }
        return last;
    }

    /**
     * Returns the same of a forward layer, whose last output is its hidden state. Only a row without steps differs: its
     * state is that before the first step.
     */
    private static FloatBuffer lastOfStates(LstmModel model, LstmOutput output, Optional<int[]> lengths) {
        int rows = output.rows(), width = model.outputSize();
        int first = Math.toIntExact(model.hiddenValuesBelow(model.layerCount() - 1) * rows);
        FloatBuffer hidden = FloatBuffer.wrap(output.finalState().h()).slice(first, rows * width);
        if (lengths.isEmpty()) {
            return hidden;
        }
        FloatBuffer last = FloatBuffer.allocate(rows * width);
        for (int row = 0; row < rows; row++) {
            if (lengths.get()[row] > 0) {
                last.put(row * width, hidden, row * width, width);
            }
        }
        return last;
    }
}
