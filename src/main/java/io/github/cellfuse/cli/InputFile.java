package io.github.cellfuse.cli;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyStream;
import io.github.cellfuse.format.npy.NpzArchive;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * An array in a file, named by an argument: {@code F.npy}, {@code F.npz} with one array, {@code F.npz:NAME}, or
 * {@code F.arrow:COLUMN}, which {@link #open} doesn't read.
 *
 * @param path the file
 * @param array the name of the array in an archive, or of the column, if given
 */
public record InputFile(Path path, Optional<String> array) {
    private static final String ARCHIVE = ".npz";

    /** A file that may hold several arrays, and the name of one. */
    private static final Pattern NAMED =
            Pattern.compile("(.*\\.(?:npz|arrow|feather|ipc)):(.*)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** Parses an argument. */
    public static final class Converter implements ITypeConverter<InputFile> {
        @Override
        public InputFile convert(String argument) {
            try {
                return parse(argument);
            } catch (InvalidInputException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    public static InputFile parse(String argument) {
        Matcher named = NAMED.matcher(argument);
        // An existing file of exactly this name takes precedence.
        if (!named.matches() || Files.exists(path(argument))) {
            return new InputFile(path(argument), Optional.empty());
        }
        return new InputFile(path(named.group(1)), Optional.of(named.group(2)));
    }

    /** Opens the array and reads only its header. The caller closes it. */
    public NpyArray open() {
        if (isPipe()) {
            // Into a temporary file: what isn't x is small, or is read in any order.
            return stream().spool();
        }
        if (!isArchive()) {
            return NpyArray.open(path);
        }
        try (NpzArchive archive = NpzArchive.open(path)) {
            return archive.array(array.orElseGet(() -> only(archive.names())));
        }
    }

    /** Returns whether it is stdin, {@code -}, or another pipe, which can be read once. */
    public boolean isPipe() {
        return array.isEmpty() && Pipes.isPipe(path);
    }

    /** Opens a pipe and reads the array's header. The caller closes it. */
    public NpyStream stream() {
        return NpyStream.open(Pipes.read(path), Pipes.inputName(path));
    }

    /** As for NumPy, the content decides. The name decides about what is neither, and if it names an array. */
    private boolean isArchive() {
        boolean isNamed = path.toString().toLowerCase(Locale.ROOT).endsWith(ARCHIVE);
        return array.isPresent() ? isNamed : NpzArchive.recognizes(path) || isNamed && !NpyArray.recognizes(path);
    }

    private String only(List<String> names) {
        if (names.isEmpty()) {
            throw new InvalidInputException(path + ": expected one array, found none");
        }
        if (names.size() > 1) {
            throw new InvalidInputException(path + ": expected one array, found " + names.size() + ": "
                    + String.join(", ", names.subList(0, Math.min(8, names.size()))) + "; choose one as " + path
                    + ":NAME");
        }
        return names.get(0);
    }

    @Override
    public String toString() {
        return array.map(name -> path + ":" + name).orElseGet(path::toString);
    }

    /** Returns a path; a name may have characters that the system doesn't take. */
    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new InvalidInputException("expected a file name, found '" + name + "'", e);
        }
    }
}
