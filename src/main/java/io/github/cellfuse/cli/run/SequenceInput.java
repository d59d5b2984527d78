package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.format.arrow.ArrowSequences;
import io.github.cellfuse.format.arrow.ArrowSignature;
import io.github.cellfuse.format.file.ArraySource;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.npy.NpyFolder;
import io.github.cellfuse.format.npy.NpyStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The input x of a run: an array or a column in a file, or the files of a folder. Owns the array.
 *
 * @param x its values
 * @param remark what a user should know of how it was put together
 */
public record SequenceInput(ArraySource x, Optional<String> remark) implements AutoCloseable {

    /**
     * Opens what an argument names, and reads only what describes it.
     *
     * @param features the features of the model, which divide the rows of an Arrow file into steps
     * @throws InvalidInputException when it isn't there, or isn't what can be read
     */
    public static SequenceInput open(InputFile input, LayoutOption layout, int features) {
        if (input.isPipe()) {
            return new SequenceInput(ofPipe(input.stream(), layout), Optional.empty());
        }
        if (ArrowSignature.recognizes(input.path())) {
            checkRowsFirst(input, layout, "an Arrow file");
            ArrowSequences column = ArrowSequences.open(input.path(), input.array(), features);
            return new SequenceInput(column, Optional.empty());
        }
        if (!Files.isDirectory(input.path())) {
            return new SequenceInput(input.open(), Optional.empty());
        }
        checkRowsFirst(input, layout, "a folder");
        NpyFolder folder = NpyFolder.open(input.path());
        String names = folder.fileCount() == 1
                ? folder.firstFile()
                : folder.firstFile() + " to " + folder.lastFile() + " in numeric order";
        return new SequenceInput(
                folder, Optional.of(input + ": " + Numbers.count(folder.fileCount(), "file") + ", " + names));
    }

    /** Rows that come one after another are computed as they come; others have to be in a file first. */
    private static ArraySource ofPipe(NpyStream stream, LayoutOption layout) {
        boolean comesInOrder = stream.isRowByRow() && (layout == LayoutOption.NTC || stream.shape().length == 2);
        return comesInOrder ? stream : stream.spool();
    }

    private static void checkRowsFirst(InputFile input, LayoutOption layout, String what) {
        if (layout == LayoutOption.TNC) {
            throw new InvalidInputException(input + ": expected a NumPy file with --layout TNC, found " + what
                    + ", whose rows come one after another (NTC)");
        }
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
