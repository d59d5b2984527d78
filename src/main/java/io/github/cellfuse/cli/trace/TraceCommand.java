package io.github.cellfuse.cli.trace;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.graph.GraphInputOptions;
import io.github.cellfuse.cli.graph.RecordedPart;
import io.github.cellfuse.cli.graph.SetOption;
import io.github.cellfuse.cli.run.WholeBatch;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.spi.CompilerWait;
import io.github.cellfuse.verify.SampledRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cellfuse trace}: shows what the cells of a model hold while it runs. */
@Command(
        name = "trace",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Look inside the cells: gates and states over time, as a page.",
        description = {
            "",
            "Runs some rows of INPUT and keeps, for every step and unit, the gates f, i and o, the candidate memory,"
                    + " the cell state C and the hidden state h. The page shows them as heat maps, one unit as a"
                    + " curve, and which step wrote what the cell still holds. It needs no network.",
            "",
            "The kernels also store the gates. The outputs keep the bits of a normal run, which is checked.",
            "",
            "Of an .onnx graph, each LSTM is traced on the batch that it gets in the graph: the first of the largest"
                    + " ones. The inputs are given as for run.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Done.",
            "1:The run failed, or its bits differ from those of a normal run.",
            "2:The input or the arguments are wrong. Nothing was computed or written."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse trace model.safetensors x.npy --html trace.html",
            "  cellfuse trace model.safetensors x.npy --rows 0,5-7 --layer 1 --html trace.html --json trace.json",
            "  cellfuse trace model.onnx tokens.npy --words vocabulary.txt --html trace.html"
        })
public final class TraceCommand implements Runnable {
    /** Values in a trace: a page of about 22 MB. */
    private static final long MOST_VALUES = 1 << 22;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "INPUT",
            converter = InputFile.Converter.class,
            description = "x: a .npy file, an .npz file with one array, F.npz:NAME, a folder of .npy files, an"
                    + " Arrow file, or - for stdin. For an .onnx model with several inputs, use --input.")
    private InputFile input;

    @Option(
            names = "--html",
            paramLabel = "F.html",
            description = "Write the page: one file, which a browser opens from disk.")
    private Path html;

    @Option(names = "--json", paramLabel = "F.json", description = "Write the values as JSON.")
    private Path json;

    @Option(names = "--overwrite", description = "Replace F.html and F.json if they exist.")
    private boolean overwrite;

    @Option(
            names = "--rows",
            paramLabel = "N[-M],...",
            defaultValue = "0",
            description = "The rows to show, counted from 0, such as 0,5-7. Default: ${DEFAULT-VALUE}.")
    private String rows;

    @Option(
            names = "--steps",
            paramLabel = "T-U",
            description = "The steps to show, counted from 0, such as 100-199. Default: all.")
    private String steps;

    @Option(names = "--layer", paramLabel = "L", description = "Show only layer L, counted from 0.")
    private Integer layer;

    @Option(
            names = "--labels",
            paramLabel = "F.txt",
            description = "Names of the steps, a line each, for the time axis.")
    private Path labels;

    @Option(
            names = "--words",
            paramLabel = "F.txt",
            description = "Vocabulary, a word a line: names the steps of an INPUT of tokens [N, T] of an .onnx model.")
    private Path words;

    @Option(
            names = "--layout",
            paramLabel = "NTC|TNC",
            defaultValue = "NTC",
            description = "Order of the dimensions of x: NTC (rows first) or TNC (time steps first). Default:"
                    + " ${DEFAULT-VALUE}.")
    private LayoutOption layout;

    @Option(
            names = "--lengths",
            paramLabel = "F",
            converter = InputFile.Converter.class,
            description =
                    "Number of valid steps of each row of INPUT: integers [N] from 0 to T. Default: T for all rows.")
    private InputFile lengths;

    @Option(names = "--part", paramLabel = "K", description = "Show only part K of an .onnx graph, counted from 0.")
    private Integer part;

    @Mixin
    private GraphInputOptions inputs = new GraphInputOptions();

    @Mixin
    private SetOption settings = new SetOption();

    @Mixin
    private DeviceOption device;

    TraceCommand() {}

    @Override
    public void run() {
        checkArguments();
        int[] wanted = IndexList.parse("--rows", rows);
        StepWindow window = window();
        List<RecordedPart> parts = parts();
        parts.forEach(of -> check(of, wanted, window));
        Map<RecordedPart, LstmInput> batches = new LinkedHashMap<>();
        parts.forEach(of -> batches.put(of, SampledRows.rows(of.model(), of.batch(), wanted)));
        checkSize(batches, window);
        StepLabels names = labels(wanted, parts);
        List<TracedBatch> traces = new ArrayList<>();
        DeviceOption.Choice choice = null;
        for (RecordedPart of : parts) {
            LstmInput batch = batches.get(of);
            DeviceOption.Opened opened =
                    choice == null ? CompilerWait.telling(this::say, () -> device.open(of.model())) : null;
            try (LstmEngine engine = opened == null ? device.open(choice, of.model()) : opened.engine()) {
                traces.add(TracedBatch.run(parts.size() == 1 ? "" : of.name(), engine, batch, wanted));
                if (opened != null) {
                    choice = opened.choice();
                    say("device " + choice.device() + ": " + choice.reason());
                }
            }
        }
        TraceDocument document = new TraceDocument(
                model.path().toString(),
                choice.device() + " (" + choice.reason() + ")",
                "",
                "a normal run",
                traces,
                names,
                List.of(),
                layer(),
                window);
        write(document);
        if (!traces.stream().allMatch(TracedBatch::hasSameBits)) {
            throw new CellFuseException("the traced run's bits differ from those of a normal run on " + choice.device()
                    + "; 'cellfuse verify' says where");
        }
    }

    private void write(TraceDocument document) {
        if (json != null) {
            TextFile.write(json, overwrite, Json.text(document.json()) + "\n");
            say("wrote " + json);
        }
        if (html != null) {
            TextFile.write(html, overwrite, document.page());
            say("wrote " + html + ": open it in a browser");
        }
    }

    private void checkArguments() {
        if (html == null && json == null) {
            throw new InvalidInputException("nothing to write: give --html F.html, --json F.json, or both");
        }
        if (labels != null && words != null) {
            throw new InvalidInputException("--labels and --words exclude each other");
        }
        if (words != null && input == null) {
            throw new InvalidInputException("--words requires an INPUT, which holds the tokens");
        }
        if (words != null && input.isPipe()) {
            throw new InvalidInputException("--words: expected INPUT to be a file, as the tokens are read twice, found "
                    + Pipes.inputName(input.path()) + "; write it to a file first");
        }
        Path[] read = Stream.concat(
                        Stream.of(model.path(), labels, words),
                        Stream.concat(Stream.of(input, lengths), inputs.inputs().values().stream())
                                .filter(Objects::nonNull)
                                .map(InputFile::path))
                .filter(Objects::nonNull)
                .toArray(Path[]::new);
        if (html != null) {
            OutputFile.check(html, overwrite, List.of(".html", ".htm"), read);
        }
        if (json != null) {
            OutputFile.check(json, overwrite, List.of(".json"), read);
        }
    }

    /** Returns the LSTMs of the model with their batches: one for a bare LSTM. */
    private List<RecordedPart> parts() {
        if (model.isOnnx()) {
            model.refuse(spec, "bare LSTMs", "--layout", "--prefix", "--layers");
            return RecordedPart.of(model.path(), settings, inputs, input, lengths, part, true);
        }
        model.refuse(
                spec, ".onnx models", "--input", "--set", "--frames", "--state", "--output-name", "--part", "--words");
        if (input == null) {
            throw new InvalidInputException("INPUT is missing: name the file that holds x");
        }
        LstmModel loaded = model.load();
        LstmInput batch = WholeBatch.read(loaded, layout, input, lengths);
        return List.of(new RecordedPart(0, List.of(), loaded, batch));
    }

    private StepWindow window() {
        if (steps == null) {
            return StepWindow.ALL;
        }
        int[] range = IndexList.range("--steps", steps);
        return new StepWindow(range[0], range[1] + 1);
    }

    private void check(RecordedPart of, int[] wanted, StepWindow window) {
        LstmInput batch = of.batch();
        for (int row : wanted) {
            if (row >= batch.rows()) {
                throw new InvalidInputException("--rows: expected 0 to " + (batch.rows() - 1) + ", found " + row
                        + "; the batch has " + Numbers.count(batch.rows(), "row"));
            }
        }
        if (window.first() >= batch.steps()) {
            throw new InvalidInputException(
                    "--steps: expected steps from 0 to " + (batch.steps() - 1) + ", found " + steps);
        }
        if (layer != null && (layer < 0 || layer >= of.model().layerCount())) {
            throw new InvalidInputException(
                    "--layer: expected 0 to " + (of.model().layerCount() - 1) + ", found " + layer);
        }
    }

    /** Rejects a trace that no browser could show, before anything runs. */
    private void checkSize(Map<RecordedPart, LstmInput> batches, StepWindow window) {
        long values = batches.entrySet().stream()
                .mapToLong(of ->
                        TraceDocument.values(of.getKey().model(), of.getValue().lengths(), layer(), window))
                .sum();
        if (values > MOST_VALUES) {
            throw new InvalidInputException("the trace has " + values + " values, more than " + MOST_VALUES
                    + "; choose fewer rows (--rows), fewer steps (--steps), one layer (--layer) or one part (--part)");
        }
    }

    private OptionalInt layer() {
        return layer == null ? OptionalInt.empty() : OptionalInt.of(layer);
    }

    private StepLabels labels(int[] wanted, List<RecordedPart> parts) {
        int count = parts.get(0).batch().steps();
        if (labels != null) {
            return StepLabels.read(labels, count);
        }
        return words == null ? StepLabels.NONE : StepLabels.words(words, input, wanted, count);
    }

    private void say(String message) {
        spec.commandLine().getErr().println("cellfuse: " + message);
    }
}
