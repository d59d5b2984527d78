package io.github.cellfuse.spark;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * What the main classes for {@code spark-submit} share: errors as one line, and exit codes as {@code cellfuse} has
 * them.
 */
final class SparkCommands {
    private static final int FAILED = 1, INVALID = 2;

    private SparkCommands() {}

    /**
     * Runs a command.
     *
     * @return 0; 1 if it failed; 2 if the input or the arguments are wrong
     */
    static int execute(Callable<Integer> command, String... words) {
        return new CommandLine(command)
                .setUsageHelpWidth(100)
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, given) -> report(e))
                .setExecutionExceptionHandler((e, line, parsed) -> report(e))
                .execute(words);
    }

    private static int report(Exception error) {
        System.err.println(
                "cellfuse: error: " + message(error).lines().findFirst().orElse("unknown"));
        return isInvalid(error) ? INVALID : FAILED;
    }

    /** An error of an executor arrives inside Spark's; the innermost of ours says it best. */
    private static String message(Exception error) {
        if (error instanceof ParameterException wrong) {
            return wrong.getMessage() + "; see '"
                    + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help'";
        }
        String message = null;
        for (Throwable e = error; e != null; e = e.getCause()) {
            if (e instanceof CellFuseException && e.getMessage() != null) {
                message = e.getMessage();
            }
        }
        if (message == null) {
            message = error instanceof AnalysisException || error instanceof IllegalArgumentException
                    ? error.getMessage()
                    : error.toString();
        }
        return message;
    }

    private static boolean isInvalid(Throwable error) {
        for (Throwable e = error; e != null; e = e.getCause()) {
            // Spark ML's own checks of parameters and columns throw IllegalArgumentException.
            if (e instanceof InvalidInputException
                    || e instanceof IllegalArgumentException
                    || e instanceof ParameterException
                    || e instanceof AnalysisException) {
                return true;
            }
        }
        return false;
    }

    /** Returns the session of {@code spark-submit}. */
    static SparkSession session(String name) {
        SparkSession session = SparkSession.builder().appName(name).getOrCreate();
        session.sparkContext().setLogLevel("WARN");
        return session;
    }

    /** Returns a column of numbers, or of lists of numbers, as one list of float32 for each row. */
    static Column floats(Dataset<Row> table, String name) {
        int index = Arrays.asList(table.columns()).indexOf(name);
        if (index < 0) {
            throw new InvalidInputException("column " + name + ": expected one of " + String.join(", ", table.columns())
                    + ", found none of that name");
        }
        DataType type = table.schema().apply(index).dataType();
        Column column = table.col(name);
        if (type instanceof ArrayType outer && outer.elementType() instanceof ArrayType) {
            column = functions.flatten(column);
        } else if (!(type instanceof ArrayType)) {
            column = functions.array(column);
        }
        return column.cast("array<float>");
    }

    /** Prints how fast it was. */
    static void sayRate(String verb, long rows, long nanos) {
        double seconds = nanos / 1e9;
        System.err.printf("cellfuse: %s %d rows in %.2f s, %.0f rows/s%n", verb, rows, seconds, rows / seconds);
    }
}
