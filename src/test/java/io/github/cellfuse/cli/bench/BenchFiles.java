package io.github.cellfuse.cli.bench;

import java.nio.file.Path;

/** Reads results of earlier benchmarks, for tests in other packages. */
public final class BenchFiles {
    private BenchFiles() {}

    /** Returns the number of results. */
    public static int read(Path file) {
        return BenchFile.read(file).results().size();
    }
}
