package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ErrorsTest {
    private final StringWriter err = new StringWriter();

    private int report(Throwable error, boolean debug) {
        return new Errors(new PrintWriter(err), debug).report(error);
    }

    @Test
    void theInputsErrorsAreToldApartFromFailures() {
        assertEquals(2, report(new InvalidInputException("x.npy: wrong"), false));
        assertEquals(1, report(new CellFuseException("the device\nfell over\u0007"), false));
        assertEquals(
                "cellfuse: error: x.npy: wrong\ncellfuse: error: the device fell over\n",
                err.toString().replace(System.lineSeparator(), "\n"));
    }

    @Test
    void noMemoryComesWithAdviceHoweverItArrives() {
        OutOfMemoryError error = new OutOfMemoryError("Java heap space");
        assertEquals(1, report(error, false));
        assertEquals(1, report(new CellFuseException("a worker failed", error), false));
        String[] lines = err.toString().lines().toArray(String[]::new);
        assertEquals(2, lines.length);
        assertEquals(lines[0], lines[1]);
        assertTrue(
                lines[0].contains("run --batch")
                        && lines[0].contains("verify --shape")
                        && lines[0].contains("CELLFUSE_JAVA_OPTS=-Xmx"),
                lines[0]);
    }

    /** The JVM's error for memory of a file that was cut, which may arrive after the reader's own check. */
    @Test
    void aFileThatWasCutIsNoInternalError() {
        InternalError error =
                new InternalError("a fault occurred in a recent unsafe memory access operation in compiled Java code");
        assertEquals(1, report(error, false));
        assertTrue(err.toString().startsWith("cellfuse: error: a file was cut while it was read"), err::toString);
    }

    @Test
    void whatNobodyForesawIsOneLineTooAndTheTraceAsked() {
        assertEquals(1, report(new IllegalStateException("oops"), false));
        assertEquals(1, err.toString().lines().count());
        assertTrue(err.toString().contains("internal error: java.lang.IllegalStateException: oops; --debug"));
        report(new IllegalStateException("oops"), true);
        assertTrue(err.toString().contains("\tat " + ErrorsTest.class.getName()));
    }

    @Test
    void debugWorksBeforeAndAfterTheCommand() {
        for (Cli.Result result : new Cli.Result[] {
            Cli.run("--debug", "info", "no.safetensors"), Cli.run("info", "no.safetensors", "--debug"),
        }) {
            assertEquals(2, result.exit());
            assertTrue(result.err().startsWith("cellfuse: error: no.safetensors: no such file"), result.err());
            assertTrue(result.err().contains("\tat "), result.err());
        }
    }
}
