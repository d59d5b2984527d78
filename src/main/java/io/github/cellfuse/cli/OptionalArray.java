package io.github.cellfuse.cli;

import io.github.cellfuse.format.npy.NpyArray;
import java.util.Optional;

/** An open array for an option that may be absent. Owns the array. */
public record OptionalArray(Optional<NpyArray> array) implements AutoCloseable {
    /**
     * Opens the array that an option names.
     *
     * @param file the value of the option, or null
     */
    public static OptionalArray open(InputFile file) {
        return new OptionalArray(Optional.ofNullable(file).map(InputFile::open));
    }

    @Override
    public void close() {
        array.ifPresent(NpyArray::close);
    }
}
