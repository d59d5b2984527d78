package io.github.cellfuse.cli.trace;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Names of steps, such as words, by row; immutable. */
public final class StepLabels {
    /** No names. */
    static final StepLabels NONE = new StepLabels(List.of(), Map.of());

    private final List<String> all;
    private final Map<Integer, List<String>> byRow;

    private StepLabels(List<String> all, Map<Integer, List<String>> byRow) {
        this.all = all;
        this.byRow = byRow;
    }

    /** Returns the names of each row's steps, by row. */
    public static StepLabels byRow(Map<Integer, List<String>> byRow) {
        return new StepLabels(List.of(), Map.copyOf(byRow));
    }

    /** Reads the names of {@code steps} steps: a line each. */
    static StepLabels read(Path file, int steps) {
        List<String> lines = TextFile.read(file).lines().toList();
        if (lines.size() != steps) {
            throw new InvalidInputException("--labels: " + file + ": expected a line for each of the " + steps
                    + " steps, found " + lines.size());
        }
        return new StepLabels(lines, Map.of());
    }

    /**
     * Looks the tokens of rows up in a vocabulary.
     *
     * @param vocabulary a word a line; a token is the number of a line, from 0 on
     * @param input the tokens, integers {@code [N,T]} or {@code [T]}
     */
    static StepLabels words(Path vocabulary, InputFile input, int[] rows, int steps) {
        List<String> words = TextFile.read(vocabulary).lines().toList();
        try (NpyArray tokens = input.open()) {
            long[] shape = tokens.shape();
            if (shape.length == 0 || shape.length > 2 || shape[shape.length - 1] != steps) {
                throw new InvalidInputException("--words: " + tokens.name() + ": expected tokens [N, T] with T = "
                        + steps + " steps, found " + Arrays.toString(shape));
            }
            Map<Integer, List<String>> byRow = new HashMap<>();
            for (int row : rows) {
                List<String> labels = new ArrayList<>();
                for (int token : tokens.readInts((long) row * steps, steps)) {
                    if (token < 0 || token >= words.size()) {
                        throw new InvalidInputException("--words: " + vocabulary + ": expected a word for token "
                                + token + " of " + tokens.name() + ", found " + words.size() + " words");
                    }
                    labels.add(words.get(token));
                }
                byRow.put(row, labels);
            }
            return byRow(byRow);
        }
    }

    /** Returns the names of a row's steps; empty if there are none. */
    List<String> of(int row) {
        return byRow.getOrDefault(row, all);
    }
}
