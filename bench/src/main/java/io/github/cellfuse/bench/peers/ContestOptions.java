package io.github.cellfuse.bench.peers;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.Suite;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that {@code bench/compare} has on a processor and on a GPU. */
public final class ContestOptions {
    private static final List<Shape> QUICK_SHAPES = List.of(Shape.parse("16,32,64,64"), Shape.parse("8,1,100,100"));
    private static final double MOST_SECONDS = 3600;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    private boolean help;

    @Option(names = "--rounds", paramLabel = "R", description = "Turns of each contender. Default: 9; quick: 3.")
    private int rounds;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results there, too.")
    private Path json;

    @Option(names = "--quick", description = "Small shapes and short turns: to see that all works, not to quote.")
    private boolean quick;

    @Option(
            names = "--tune",
            paramLabel = "S",
            description = "Let CellFuse measure its plans for S seconds before each shape, as 'cellfuse tune'"
                    + " does. Default: not.")
    private double tuning;

    /**
     * Checks the values.
     *
     * @throws InvalidInputException when one is out of its range, or the file can't be written
     */
    public void check() {
        if (rounds < 0) {
            throw new InvalidInputException("--rounds: expected at least 1, found " + rounds);
        }
        if (!(tuning >= 0 && tuning <= MOST_SECONDS)) {
            throw new InvalidInputException("--tune: expected 0 to 3600 seconds, found " + tuning);
        }
        JsonFile.checkPlace(json);
    }

    /** Returns how long to measure. */
    public Effort effort() {
        return Effort.of(rounds, quick);
    }

    /** Returns whether small shapes will do. */
    boolean isQuick() {
        return quick;
    }

    /** Returns the layers to compare if no shape was asked for. */
    public List<Shape> usualLayers() {
        return quick ? QUICK_SHAPES : Suite.LSTM_SHAPES;
    }

    /** Returns where the results go besides standard output. */
    public Optional<Path> json() {
        return Optional.ofNullable(json);
    }

    /** Returns the seconds for which CellFuse measures its plans before each shape; 0 if it doesn't. */
    public double tuning() {
        return tuning;
    }
}
