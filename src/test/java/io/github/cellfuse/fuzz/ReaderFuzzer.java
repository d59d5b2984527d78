package io.github.cellfuse.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code bin/fuzz} has Jazzer run: one reader, again and again, on data that Jazzer makes. */
public final class ReaderFuzzer {
    private static FuzzTarget target;

    private ReaderFuzzer() {}

    /** Called by Jazzer once, with the name of the target. */
    public static void fuzzerInitialize(String[] arguments) {
        target = FuzzTarget.of(arguments[0]);
    }

    /** Called by Jazzer for each input. */
    public static void fuzzerTestOneInput(byte[] data) {
        target.check(data);
    }

    /** Prints the names of all targets, or writes the seeds and former findings of one to a folder. */
    public static void main(String... arguments) throws IOException {
        if (arguments.length == 0) {
            for (FuzzTarget each : FuzzTarget.values()) {
                System.out.println(each);
            }
            return;
        }
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        int number = 0;
        for (byte[] seed : FuzzTarget.of(arguments[0]).seeds()) {
            Files.write(folder.resolve("seed-" + number++), seed);
        }
    }
}
