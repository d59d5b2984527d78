package io.github.cellfuse.format.npy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs Python with NumPy, where there is one: Debian's {@code python3-numpy}. */
public final class Python {
    private static Boolean hasNumPy; // null before the first question

    private Python() {}

    /** Returns whether there is a Python with NumPy. */
    public static synchronized boolean hasNumPy() throws Exception {
        if (hasNumPy == null) {
            ProcessBuilder check =
                    new ProcessBuilder("/usr/bin/python3", "-c", "import numpy").redirectErrorStream(true);
            hasNumPy = Files.isExecutable(Path.of("/usr/bin/python3"))
                    && check.start().waitFor() == 0;
        }
        return hasNumPy;
    }

    /** Runs a script, which must end well, and returns what it prints. */
    public static String run(String script, Object... arguments) throws Exception {
        assumeTrue(hasNumPy(), "no Python with NumPy here");
        ProcessBuilder builder = new ProcessBuilder("/usr/bin/python3", "-X", "utf8", "-c", script);
        builder.command()
                .addAll(List.of(Stream.of(arguments).map(Object::toString).toArray(String[]::new)));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output.strip();
    }
}
