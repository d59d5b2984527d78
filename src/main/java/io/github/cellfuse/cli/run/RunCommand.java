package io.github.cellfuse.cli.run;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OptionalArray;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.graph.GraphOpener;
import io.github.cellfuse.cli.graph.OnnxOptions;
import io.github.cellfuse.cli.graph.OnnxRun;
import io.github.cellfuse.cli.graph.SetOption;
import io.github.cellfuse.cli.job.JobDisplay;
import io.github.cellfuse.cli.job.JobIdentity;
import io.github.cellfuse.cli.job.JobOptions;
import io.github.cellfuse.cli.job.JobReport;
import io.github.cellfuse.cli.job.JobRun;
import io.github.cellfuse.format.ModelFile;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.spi.CompilerWait;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/**
 * {@code cellfuse run}: runs a model over a file of sequences. It checks all arguments and files before it computes
 * anything.
 */
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Run a trained LSTM over a file of sequences.",
        description = {
            "",
            "Reads x [N, T, I] (rows, time steps, features; see --layout) and writes y [N, T, D*P] (D directions of P"
                    + " values), like torch.nn.LSTM. A single sequence [T, I] gives [T, D*P]. Files may be larger than"
                    + " memory. Numbers of any type are converted to float32; the result is float32.",
            "",
            "An .onnx model runs as a whole graph: its LSTMs run on the device, and everything else runs in ONNX"
                    + " Runtime. Inputs and outputs have the names and types of the graph.",
            "",
            "The result is bit-identical on every exact device and for every --plan, --batch and --threads. Only"
                    + " --weights changes it, in the same way on every device.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse run model.safetensors x.npy -o y.npy",
            "  cellfuse run model.safetensors x.npy -o last.npy --output-name last",
            "  cellfuse run model.safetensors x.npy -o out.npz --lengths lengths.npy",
            "  cellfuse run model.safetensors data.npz:x -o y.npy --layout TNC --device opencl:0.0",
            "  cellfuse run model.safetensors next.npy -o next.npz --h0 out.npz:h_n --c0 out.npz:c_n",
            "  cellfuse run model.safetensors x.npy -o y.npy --device java --threads 4 --batch 64 --quiet",
            "  cellfuse run model.safetensors x.npy -o y.npy --weights bf16",
            "  cellfuse run model.safetensors huge.npy -o y.npy --device all --resume",
            "  cellfuse run model.safetensors folder -o y.npy",
            "  cellfuse run model.safetensors table.arrow:x -o y.npy",
            "  cat x.npy | cellfuse run model.safetensors - -o - > y.npy",
            "  cellfuse run tagger.onnx --input tokens=t.npy --input lengths=n.npy -o scores.npz",
            "  cellfuse run vad.onnx frames.npy -o p.npz --set sr=16000 --frames 1 --state state=stateN"
        })
public final class RunCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @ParentCommand
    private CellFuse root;

    @Mixin
    private ModelOptions model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "INPUT",
            converter = InputFile.Converter.class,
            description = "x: a .npy file, an .npz file with one array, F.npz:NAME, a folder, whose .npy files are"
                    + " joined row by row, an Arrow file, F.arrow or F.arrow:COLUMN, or a pipe: - reads a .npy file"
                    + " from stdin. For an .onnx model with several inputs, use --input.")
    private InputFile input;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description = "OUT.npy holds y. OUT.npz holds y, h_n [L*D, N, P] and c_n [L*D, N, H]: the states after the"
                    + " last step of each row. --output-name chooses others. For an .onnx model, it holds each output"
                    + " under its name. The file appears when it is complete. With - or a pipe, a .npy file goes to"
                    + " stdout or into the pipe, row by row if rows come first.")
    private Path output;

    @Option(names = "--overwrite", description = "Replace OUT if it exists.")
    private boolean overwrite;

    @Option(
            names = "--layout",
            paramLabel = "NTC|TNC",
            defaultValue = "NTC",
            description =
                    "Order of the dimensions of x and y: NTC (rows first, PyTorch's batch_first=True) or TNC (time"
                            + " steps first). Default: ${DEFAULT-VALUE}.")
    private LayoutOption layout;

    @Option(
            names = "--lengths",
            paramLabel = "F",
            converter = InputFile.Converter.class,
            description =
                    "Number of valid steps of each row: integers [N] from 0 to T. Beyond the length of a row, its y"
                            + " is zero and its states don't change. Default: T for all rows. For an .onnx model with"
                            + " --frames: the number of frames of each stream.")
    private InputFile lengths;

    @Option(
            names = "--h0",
            paramLabel = "F",
            converter = InputFile.Converter.class,
            description = "Hidden states before the first step, [L*D, N, P]. Default: zeros, even if --c0 is given.")
    private InputFile hidden;

    @Option(
            names = "--c0",
            paramLabel = "F",
            converter = InputFile.Converter.class,
            description = "Cell states before the first step, [L*D, N, H]. Default: zeros, even if --h0 is given.")
    private InputFile cell;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description =
                    "Number of rows to hold in memory and compute at a time. Default: as many as fit in 256 MiB (512"
                            + " for a GPU), all copies counted, and"
                            + " in a quarter of the Java heap.")
    private Integer batch;

    @Mixin
    private JobOptions job;

    @Mixin
    private SetOption settings;

    @Mixin
    private OnnxOptions graph;

    @Mixin
    private DeviceOption device;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print only errors.")
    private boolean quiet;

    RunCommand() {}

    @Override
    public void run() {
        if (model.isOnnx()) {
            runGraph();
        } else {
            runLstm();
        }
    }

    private void runGraph() {
        model.refuse(spec, "bare LSTMs", "--layout", "--h0", "--c0", "--prefix", "--layers");
        checkArguments();
        OnnxModel opened = GraphOpener.open(model.path(), settings, graph);
        try (OnnxRun run = new OnnxRun(opened, graph, input, batch, lengths, output)) {
            BatchReport report = run.run(
                    device,
                    overwrite,
                    job,
                    isPiped(),
                    this::graphIdentity,
                    (before, total) -> progress(before, total, run.noun()),
                    this::say,
                    this::warn);
            write(report);
        }
    }

    private JobIdentity graphIdentity() {
        JobIdentity identity = new JobIdentity()
                .with("model", OnnxFile.open(model.path()).files())
                .with("weights", device.weights().label());
        settings.addTo(identity);
        return identity;
    }

    private void write(BatchReport report) {
        if (job.json() != null) {
            TextFile.write(job.json(), overwrite, JobReport.json(report, output) + "\n");
        }
    }

    private void runLstm() {
        model.refuse(spec, ".onnx models", "--input", "--set", "--frames", "--state", "--rows");
        if (input == null) {
            throw new InvalidInputException("INPUT is missing: name the file that holds x");
        }
        checkArguments();
        ModelFile file = model.read();
        LstmModel loaded = file.model();
        try (SequenceInput sequences = SequenceInput.open(input, layout, loaded.inputSize());
                OptionalArray lengthArray = OptionalArray.open(lengths);
                OptionalArray hiddenArray = OptionalArray.open(hidden);
                OptionalArray cellArray = OptionalArray.open(cell)) {
            RunShape shape = RunShape.of(loaded, layout, sequences.x());
            RunInput source =
                    new RunInput(shape, sequences.x(), lengthArray.array(), hiddenArray.array(), cellArray.array());
            List<RunArray> arrays = RunArray.chosen(shape, source, graph.outputNames(), model.path(), output);
            if (shape.rows() == 0) {
                writeNothing(arrays);
                return;
            }
            boolean needsY = arrays.stream().anyMatch(RunArray::needsY);
            RunRows.of(source, shape, batch, needsY, isPiped(), false, List.of()); // refuses what no device could do
            List<DeviceOption.Opened> opened = CompilerWait.telling(this::say, () -> device.openAll(loaded, this::say));
            file.remarks().forEach(this::say);
            sequences.remark().ifPresent(this::say);
            boolean apart = opened.stream().anyMatch(DeviceOption.Opened::hasMemoryApart);
            RunRows rows = RunRows.of(
                    source,
                    shape,
                    batch,
                    needsY,
                    isPiped(),
                    apart,
                    opened.stream().map(DeviceOption.Opened::memory).toList());
            announce(opened, shape, rows);
            LstmBatch work = new LstmBatch(
                    rows,
                    arrays,
                    () -> device.openFallback(loaded),
                    engine -> identity(engine, shape, rows, arrays),
                    opened.stream().map(DeviceOption.Opened::engine).toList(),
                    isPiped());
            BatchReport report;
            try (JobDisplay display = new JobDisplay(before -> progress(before, shape.rows(), "row"), this::warn)) {
                report = new JobRun<>(output, overwrite, job, work, this::say, this::warn).run(display);
            }
            report(report);
        }
    }

    private JobIdentity identity(LstmEngine engine, RunShape shape, RunRows rows, List<RunArray> arrays) {
        List<String> outputs = arrays.stream().map(RunArray::name).toList();
        return LstmBatch.identity(engine, shape, rows.order(), outputs)
                .with("input", input)
                .with("lengths", lengths)
                .with("h0", hidden)
                .with("c0", cell);
    }

    /** Arrays without rows, as NumPy has them: no device is needed. */
    private void writeNothing(List<RunArray> arrays) {
        try (RunOutput sink = RunOutput.create(output, overwrite, arrays)) {
            sink.commit();
        }
        say("wrote " + Pipes.outputName(output) + ": the input has no rows");
    }

    private void checkArguments() {
        if (batch != null && batch < 1) {
            throw new InvalidInputException("--batch: expected at least 1 row, found " + batch);
        }
        Path[] inputs = Stream.concat(Stream.of(model.path()), inputs().map(InputFile::path))
                .toArray(Path[]::new);
        checkPipes();
        if (Pipes.isPipe(output)) {
            Pipes.checkOutput(output);
        } else {
            if (!job.resumes() && !overwrite) {
                JobRun.checkNothingIsBegun(output);
            }
            boolean isContinued = job.resumes() && JobRun.wasRenamed(output);
            OutputFile.check(output, overwrite || isContinued, RunOutput.SUFFIXES, inputs);
        }
        job.check(overwrite, inputs);
        SequenceInput.checkOutput(input, output);
    }

    private Stream<InputFile> inputs() {
        return Stream.concat(Stream.of(input, lengths, hidden, cell), graph.inputs().values().stream())
                .filter(Objects::nonNull);
    }

    /** Returns whether anything is read or written that can't be read or written again. */
    private boolean isPiped() {
        return Pipes.isPipe(output) || inputs().anyMatch(InputFile::isPipe);
    }

    private void checkPipes() {
        if (job.resumes() && isPiped()) {
            throw new InvalidInputException(
                    "--resume: expected files, found a pipe, which can't be read or written again");
        }
        long standard = inputs().filter(each -> each.toString().equals("-")).count();
        if (standard > 1) {
            throw new InvalidInputException("-: expected one input on stdin, found " + standard);
        }
    }

    private void announce(List<DeviceOption.Opened> opened, RunShape shape, RunRows rows) {
        Chunking chunking = rows.chunking();
        for (DeviceOption.Opened each : opened) {
            LstmEngine engine = each.engine();
            say("device " + engine.device() + ": " + each.reason());
            say(engine.explain(chunking.chunkRows(), shape.steps()));
            if (device.weights() != WeightPrecision.F32) {
                boolean stored = engine.device() instanceof Device.OpenCl;
                say("weights " + (stored ? "stored as " : "rounded to ")
                        + device.weights().label());
            }
        }
        if (rows.order().isPresent() && chunking.count() > 1) {
            say(Numbers.count(shape.rows(), "row") + " of up to " + Numbers.count(shape.steps(), "step") + " "
                    + rows.order().get() + ", in chunks of up to " + Numbers.count(chunking.chunkRows(), "row")
                    + (batch == null ? ", and more where they are shorter" : ""));
            return;
        }
        say(Numbers.count(shape.rows(), "row") + " of " + Numbers.count(shape.steps(), "step") + " in "
                + Numbers.count(chunking.count(), "chunk") + " of up to " + Numbers.count(chunking.chunkRows(), "row"));
    }

    private void report(BatchReport report) {
        long rows = report.rows() - report.finishedBefore();
        say(String.format(
                Locale.ROOT,
                "wrote %s: %s in %.3f s, %s rows/s; computed for %.3f s at %s GFLOP/s",
                Pipes.outputName(output),
                Numbers.count(rows, "row"),
                report.total().toNanos() / 1e9,
                Numbers.rate(report.rowsPerSecond()),
                report.computing().toNanos() / 1e9,
                Numbers.rate(report.gigaflops())));
        if (report.chunks() > 1) {
            say(JobReport.summary(report));
        }
        write(report);
    }

    private Progress progress(long before, long total, String noun) {
        PrintWriter err = spec.commandLine().getErr();
        return quiet ? Progress.none() : Progress.on(root.isTerminal(), err, before, total, noun);
    }

    private void warn(String message) {
        say("warning: " + message);
    }

    private void say(String message) {
        if (!quiet) {
            spec.commandLine().getErr().println("cellfuse: " + Problems.oneLine(message));
        }
    }
}
