package io.github.cellfuse.spark;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A main class for {@code spark-submit}: reads a table of Parquet files and writes it with an LSTM's results. */
@Command(
        name = "ScoreTable",
        mixinStandardHelpOptions = true,
        description = "Scores a table of Parquet files with an LSTM: writes all its columns and one of results.",
        footer = {
            "",
            "Example:",
            "  spark-submit --class io.github.cellfuse.spark.ScoreTable cellfuse-spark-VERSION-all.jar \\",
            "      --model model.safetensors --input windows.parquet --output scores.parquet"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Done.",
            "1:The job failed: a device, a disk or the cluster.",
            "2:The input or the arguments are wrong."
        })
public final class ScoreTable implements Callable<Integer> {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            required = true,
            description = "The model, as 'cellfuse run' takes it; read on the driver.")
    private String model;

    @Option(names = "--input", paramLabel = "TABLE", required = true, description = "The table to read.")
    private String input;

    @Option(names = "--output", paramLabel = "TABLE", required = true, description = "The table to write.")
    private String output;

    @Option(
            names = "--input-col",
            paramLabel = "C",
            defaultValue = "features",
            description = "Column with the sequences: lists of steps, or lists of all numbers of a sequence."
                    + " Default: ${DEFAULT-VALUE}.")
    private String inputCol;

    @Option(
            names = "--output-col",
            paramLabel = "C",
            defaultValue = "prediction",
            description = "Column for the results. Default: ${DEFAULT-VALUE}.")
    private String outputCol;

    @Option(
            names = "--result",
            paramLabel = "last|y|h_n|c_n",
            defaultValue = "last",
            description =
                    "What to write: y after the last step, y of all steps, or a state. Default: ${DEFAULT-VALUE}.")
    private String result;

    @Option(names = "--length-col", paramLabel = "C", description = "Column with the number of valid steps.")
    private String lengthCol;

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "auto",
            description = "Device of the executors: the GPU that Spark assigns to a task, or else as 'cellfuse run'"
                    + " chooses. Default: ${DEFAULT-VALUE}.")
    private String device;

    @Option(
            names = "--batch-rows",
            paramLabel = "N",
            defaultValue = "0",
            description = "Rows to compute at a time. Default: 0, as many as fit.")
    private int batchRows;

    @Option(
            names = "--handle-invalid",
            paramLabel = "error|skip|keep",
            defaultValue = "error",
            description =
                    "What a bad row does: end the job, be left out, or have no result. Default: ${DEFAULT-VALUE}.")
    private String handleInvalid;

    @Option(names = "--error-col", paramLabel = "C", description = "With keep: column for the reason.")
    private String errorCol;

    @Option(names = "--overwrite", description = "Replace the output if it exists.")
    private boolean overwrite;

    private ScoreTable() {}

    public static void main(String[] words) {
        System.exit(SparkCommands.execute(new ScoreTable(), words));
    }

    @Override
    public Integer call() throws IOException {
        LstmTransformer lstm = new LstmTransformer()
                .setModelPath(model)
                .setInputCol(inputCol)
                .setOutputCol(outputCol)
                .setOutput(result)
                .setDevice(device)
                .setBatchRows(batchRows)
                .setHandleInvalid(handleInvalid);
        if (lengthCol != null) {
            lstm.setLengthCol(lengthCol);
        }
        if (errorCol != null) {
            lstm.setErrorCol(errorCol);
        }
        try (SparkSession session = SparkCommands.session("CellFuse: score " + input)) {
            Dataset<Row> table = session.read().parquet(input);
            long started = System.nanoTime();
            lstm.transform(table)
                    .write()
                    .mode(overwrite ? SaveMode.Overwrite : SaveMode.ErrorIfExists)
                    .parquet(output);
            long nanos = System.nanoTime() - started;
            // from the footers of the files
            SparkCommands.sayRate("scored", session.read().parquet(output).count(), nanos);
            return 0;
        }
    }
}
