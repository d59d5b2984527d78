package io.github.cellfuse.cli;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.PrintWriter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reports an error as one line on stderr and an exit code. */
public final class Errors {
    /** The option that adds stack traces. */
    static final String DEBUG = "--debug";

    /** Exit code: the run failed. */
    public static final int FAILED = 1;

    /** Exit code: the input or the arguments are wrong. */
    static final int INVALID = 2;

    private final PrintWriter err;
    private final boolean debug;

    Errors(PrintWriter err, boolean debug) {
        this.err = err;
        this.debug = debug;
    }

    /** Prints an error as one line, and returns its exit code. */
    int report(Throwable error) {
        err.println("cellfuse: error: " + oneLine(message(error)));
        if (debug) {
            error.printStackTrace(err);
        }
        err.flush();
        return error instanceof InvalidInputException || error instanceof ParameterException ? INVALID : FAILED;
    }

    private static String message(Throwable error) {
        if (isOutOfMemory(error)) {
            return "out of memory; use fewer rows at a time (run --batch, verify --shape), or give Java more memory,"
                    + " such as CELLFUSE_JAVA_OPTS=-Xmx8g";
        }
        if (error instanceof ParameterException wrong) {
            return expectation(wrong) + "; see '"
                    + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help'";
        }
        if (error instanceof CellFuseException && error.getMessage() != null) {
            return error.getMessage();
        }
        if (error instanceof InternalError && String.valueOf(error.getMessage()).contains("unsafe memory access")) {
            return "a file was cut while it was read, or the disk failed; run again when nothing writes to the input";
        }
        return "internal error: " + error + "; " + DEBUG + " prints the stack trace";
    }

    private static String expectation(ParameterException wrong) {
        boolean isCommand = wrong instanceof UnmatchedArgumentException unmatched
                && !unmatched.isUnknownOption()
                && unmatched.getCommandLine().getParent() == null;
        if (!isCommand) {
            return wrong.getMessage();
        }
        return "expected a command: "
                + String.join(", ", wrong.getCommandLine().getSubcommands().keySet()) + "; found '"
                + ((UnmatchedArgumentException) wrong).getUnmatched().get(0) + "'";
    }

    /** Worker threads wrap their errors, so the causes count, too. */
    private static boolean isOutOfMemory(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    /** Names in files and arguments may contain any character, including line breaks. */
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c).forEach(line::appendCodePoint);
        return line.toString().strip();
    }
}
