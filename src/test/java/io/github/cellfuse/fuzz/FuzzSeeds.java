package io.github.cellfuse.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the seeds of a target for {@code bin/fuzz}. */
final class FuzzSeeds {
    private FuzzSeeds() {}

    public static void main(String... arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        int number = 0;
        for (byte[] seed : FuzzTarget.of(arguments[0]).seeds()) {
            Files.write(folder.resolve("seed-" + number++), seed);
        }
    }
}
