package io.github.cellfuse.cli.verify;

import com.google.gson.JsonObject;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Errors;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.page.HtmlPage;
import io.github.cellfuse.cli.run.WholeBatch;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.verify.VerifyReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code cellfuse verify}: checks whether a device computes a model correctly, on the user's data or on random data.
 */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Check a device: its bits against java, and its errors against double precision.",
        description = {
            "",
            "Runs the model, and each of its layers alone, on the device, on the java device and in double"
                    + " precision. Every bit of y, h_n and c_n must equal java's, and every error must be within a"
                    + " bound that is computed from the model and the data. A device in the tolerance tier only has"
                    + " to keep the bound.",
            "",
            "With --weights f16 or bf16, java and double precision use the rounded weights, too. One more line shows"
                    + " the distance from double precision with unrounded weights, for information only.",
            "",
            "Inside the cells, the pre-activations, gates and states of each step are compared, too. The first value"
                    + " that differs is reported with what it was computed from and the command that repeats it.",
            "",
            "Of an .onnx graph, each LSTM is verified on the batch that it gets in the graph: of the largest ones the"
                    + " last. The inputs are given as for run.",
            "",
            "Without INPUT, generated batches are run: random ones, and those where arithmetic goes wrong first"
                    + " (--case). They depend only on --seed and --shape.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Every bit agrees (except in the tolerance tier), and every error is within its bound.",
            "1:The results disagree, or the device failed.",
            "2:The input or the arguments are wrong."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse verify model.safetensors",
            "  cellfuse verify model.safetensors x.npy --device opencl:0.0 --json report.json",
            "  cellfuse verify model.safetensors --device opencl --html report.html",
            "  cellfuse verify model.safetensors --device opencl --plan fused --shape 64,200 --seed 7",
            "  cellfuse verify model.safetensors x.npy --lengths lengths.npy --rows 4",
            "  cellfuse verify model.safetensors x.npy --weights f16",
            "  cellfuse verify model.safetensors --case denormals,nan --layer 1",
            "  cellfuse verify model.safetensors --all-devices",
            "  cellfuse verify tagger.onnx --input tokens=t.npy --input lengths=n.npy"
        })
public final class VerifyCommand implements Callable<Integer> {
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
                    + " Arrow file, or - for stdin. Default: random batches.")
    private InputFile input;

    @Mixin
    private DeviceOption device;

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

    @Option(
            names = "--rows",
            paramLabel = "N",
            description =
                    "Number of rows to compute in double precision, spread over the batch. Bits are compared in all"
                            + " rows. Default: 16, or fewer if that would take long.")
    private Integer judgedRows;

    @Option(
            names = "--layer",
            paramLabel = "L",
            description = "Verify only layer L, counted from 0, on the output of the java device for the layers below.")
    private Integer layer;

    @Option(
            names = "--all-devices",
            description = "Verify every device that 'cellfuse devices' lists, one after the other.")
    private boolean allDevices;

    @Mixin
    private CaseOptions cases;

    @Mixin
    private GraphParts graph;

    @Option(
            names = "--json",
            paramLabel = "F.json",
            description = "Write the full report as JSON. The file appears when it is complete.")
    private Path json;

    @Option(
            names = "--html",
            paramLabel = "F.html",
            description = "Write the full report as one page with plots that needs no network.")
    private Path html;

    @Option(names = "--overwrite", description = "Replace F.json and F.html if they exist.")
    private boolean overwrite;

    VerifyCommand() {}

    @Override
    public Integer call() {
        checkArguments();
        List<VerifyCase> batches = batches();
        List<DeviceOption.Choice> choices = allDevices
                ? Device.all().stream()
                        .filter(this::canBeUsed)
                        .map(info -> new DeviceOption.Choice(info.device(), info.name()))
                        .toList()
                : List.of(device.settle(batches.get(0).model()));
        List<VerifiedDevice> found =
                choices.stream().map(choice -> verify(choice, batches)).toList();
        if (allDevices) {
            DeviceTable.print(spec.commandLine().getOut(), found);
        }
        if (json != null || html != null) {
            write(VerifyJson.of(model.path(), found));
        }
        return found.stream().allMatch(VerifiedDevice::passed) ? 0 : Errors.FAILED;
    }

    /** Returns whether a device has no obstacle, and says which one it has otherwise. */
    private boolean canBeUsed(DeviceInfo info) {
        info.obstacle()
                .ifPresent(reason -> spec.commandLine()
                        .getErr()
                        .println("cellfuse: " + info.device() + " is left out: it " + DeviceInfo.OBSTACLE + ": "
                                + reason));
        return info.obstacle().isEmpty();
    }

    private void write(JsonObject document) {
        if (json != null) {
            TextFile.write(json, overwrite, Json.text(document) + "\n");
        }
        if (html != null) {
            TextFile.write(html, overwrite, HtmlPage.of("/io/github/cellfuse/cli/verify/verify.html", document));
        }
    }

    private List<VerifyCase> batches() {
        boolean isFloat16 = device.weights() == WeightPrecision.F16;
        Optional<LstmModel> bare = bareModel();
        if (bare.isEmpty()) {
            model.refuse(spec, "bare LSTMs", "--layout", "--prefix", "--layers", "--shape", "--seed");
            List<VerifyCase> parts = graph.cases(model, input, lengths);
            parts.forEach(part -> checkLayer(part.model()));
            return parts.stream()
                    .flatMap(part -> cases.of(part.model(), isFloat16, part).stream())
                    .toList();
        }
        graph.refuse(model, spec);
        if (input == null && lengths != null) {
            throw new InvalidInputException("--lengths requires an INPUT");
        }
        LstmModel loaded = bare.get();
        checkLayer(loaded);
        return input == null
                ? cases.generated(loaded, isFloat16, layout.layout())
                : cases.of(
                        loaded,
                        isFloat16,
                        new VerifyCase(
                                "input",
                                loaded,
                                WholeBatch.read(loaded, layout, input, lengths),
                                List.of(input.toString())));
    }

    /** Returns the model unless it is a graph that has more in it than LSTMs. */
    private Optional<LstmModel> bareModel() {
        if (!model.isOnnx()) {
            return Optional.of(model.load());
        }
        if (graph.isGiven(spec)) {
            return Optional.empty();
        }
        try {
            return Optional.of(model.load());
        } catch (InvalidInputException e) {
            return Optional.empty();
        }
    }

    private void checkLayer(LstmModel of) {
        if (layer != null && layer >= of.layerCount()) {
            throw new InvalidInputException("--layer: expected 0 to " + (of.layerCount() - 1) + ", found " + layer);
        }
    }

    /**
     * Verifies the cases on one device and prints the reports. With --all-devices, a failure doesn't end the others.
     */
    private VerifiedDevice verify(DeviceOption.Choice choice, List<VerifyCase> batches) {
        PrintWriter out = spec.commandLine().getOut();
        DeviceChecks checks = new DeviceChecks(
                device,
                judgedRows == null ? OptionalInt.empty() : OptionalInt.of(judgedRows),
                layer == null ? OptionalInt.empty() : OptionalInt.of(layer));
        Function<VerifyCase, IntFunction<String>> repeating = of -> only -> repeat(of, choice.device(), only);
        try {
            Map<VerifyCase, VerifyReport> reports = checks.run(choice, batches);
            reports.forEach((of, report) -> VerifyTable.print(out, of.name(), choice, report, repeating.apply(of)));
            return new VerifiedDevice(choice, reports, Optional.empty(), repeating);
        } catch (CellFuseException e) {
            if (!allDevices) {
                throw e;
            }
            out.println("device " + choice.device() + ": " + e.getMessage());
            out.println();
            return new VerifiedDevice(choice, Map.of(), Optional.of(e.getMessage()), repeating);
        }
    }

    /** Returns the command that verifies one layer of a case on one device again. */
    private String repeat(VerifyCase of, Device on, int only) {
        RepeatedCommand command =
                new RepeatedCommand(spec, "verify", model.path().toString());
        command.add(of.repeat());
        command.add(device.arguments(on));
        command.addGiven("--layout", "--lengths", "--prefix", "--layers", "--rows");
        command.addGiven("--input", "--set", "--frames", "--state", "--output-name");
        command.add(List.of("--layer", Integer.toString(only)));
        return command.toString();
    }

    private void checkArguments() {
        if (judgedRows != null && judgedRows < 1) {
            throw new InvalidInputException("--rows: expected at least 1 row, found " + judgedRows);
        }
        if (layer != null && layer < 0) {
            throw new InvalidInputException("--layer: expected 0 or more, found " + layer);
        }
        if (allDevices) {
            for (String option : List.of("--device", "--plan")) {
                if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                    throw new InvalidInputException(option + " and --all-devices exclude each other");
                }
            }
        }
        if (input != null) {
            cases.checkFor(input);
        }
        checkOutput(json, ".json");
        checkOutput(html, ".html");
    }

    private void checkOutput(Path target, String suffix) {
        if (target != null) {
            Path[] inputs = Stream.concat(
                            Stream.of(model.path()),
                            Stream.of(input, lengths)
                                    .filter(file -> file != null)
                                    .map(InputFile::path))
                    .toArray(Path[]::new);
            OutputFile.check(target, overwrite, List.of(suffix), inputs);
        }
    }
}
