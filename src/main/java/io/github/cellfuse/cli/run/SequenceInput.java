package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.npy.NpyFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The input x of a run: an array in a file, or the files of a folder. Owns the array.
 *
 * @param x its values
 * @param remark what a user should know of how it was put together
 */
public record SequenceInput(ArraySource x, Optional<String> remark) implements AutoCloseable {

    /**
     * Opens what an argument names, and reads only headers.
     *
     * @throws InvalidInputException when it isn't there, or isn't what can be read
     */
    public static SequenceInput open(InputFile input, LayoutOption layout) {
        if (!Files.isDirectory(input.path())) {
            return new SequenceInput(input.open(), Optional.empty());
        }
        if (layout == LayoutOption.TNC) {
            throw new InvalidInputException(input + ": expected a file with --layout TNC, found a folder: its files are"
                    + " joined row by row, which needs arrays with rows first (NTC)");
        }
        NpyFolder folder = NpyFolder.open(input.path());
        String names = folder.fileCount() == 1
                ? folder.firstFile()
                : folder.firstFile() + " to " + folder.lastFile() + " in numeric order";
        return new SequenceInput(
                folder, Optional.of(input + ": " + Numbers.count(folder.fileCount(), "file") + ", " + names));
    }

    /** Rejects an output that would be an input of the next run. */
    static void checkOutput(InputFile input, Path output) {
        Path folder = output.toAbsolutePath().getParent();
        try {
            if (input != null
                    && Files.isDirectory(input.path())
                    && Files.isSameFile(folder, input.path())
                    && NpyFolder.isArray(output.getFileName().toString())) {
                throw new InvalidInputException(output + ": expected a name outside the input folder " + input
                        + ", all of whose .npy files are read");
            }
        } catch (IOException e) {
            throw Problems.io(output, "comparing its folder with " + input, e);
        }
    }

    @Override
    public void close() {
        x.close();
    }
}
