package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.stream.Stream;

/** Runs the command line in this process. */
public final class Cli {
    /** How it ended, and what it wrote. */
    public record Result(int exit, String out, String err) {
        /** It did what it was asked. */
        public Result assertDone() {
            assertEquals(0, exit, this::toString);
            assertFalse(err.contains("error"), this::toString);
            return this;
        }

        /**
         * It ended with {@code code}, saying why in one line that holds every one of {@code parts}, and nothing else.
         */
        public Result assertError(int code, Object... parts) {
            assertEquals(code, exit, this::toString);
            assertEquals("", out);
            String line = err.stripTrailing();
            assertTrue(line.startsWith("cellfuse: error: ") && line.lines().count() == 1, this::toString);
            for (Object part : parts) {
                assertTrue(line.contains(part.toString()), () -> "expected '" + part + "' in: " + line);
            }
            return this;
        }
    }

    private Cli() {}

    /** Runs {@code cellfuse arguments}; what isn't a string is turned into one. */
    public static Result run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = Stream.of(arguments).map(Object::toString).toArray(String[]::new);
        int exit = CellFuse.execute(new PrintWriter(out), new PrintWriter(err), words);
        return new Result(exit, out.toString(), err.toString());
    }
}
