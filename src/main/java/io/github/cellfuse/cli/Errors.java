package io.github.cellfuse.cli;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.io.PrintWriter;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever went wrong into one line on stderr and an exit code. */
public final class Errors {
    /** The option that adds stack traces. */
    static final String DEBUG = "--debug";

    /** Exit code: it ran and failed. */
    public static final int FAILED = 1;

    /** Exit code: the input or the arguments are wrong. */
    static final int INVALID = 2;

    private final PrintWriter err;
    private final boolean debug;

    Errors(PrintWriter err, boolean debug) {
        this.err = err;
        this.debug = debug;
    }

    /** Prints {@code error}'s line, and returns the exit code that it means. */
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
            return "out of memory; take fewer rows at a time (run --batch, verify --shape), or give Java more:"
                    + " CELLFUSE_JAVA_OPTS=-Xmx8g, for instance";
        }
        if (error instanceof ParameterException wrong) {
            return expectation(wrong) + "; see '"
                    + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help'";
        }
        if (error instanceof CellFuseException && error.getMessage() != null) {
            return error.getMessage();
        }
        return "internal error: " + error + "; " + DEBUG + " shows where";
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

    /** Worker threads hand their errors over wrapped. */
    private static boolean isOutOfMemory(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    /** Names out of files and arguments may hold anything. */
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        message.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c).forEach(line::appendCodePoint);
        return line.toString().strip();
    }
}
