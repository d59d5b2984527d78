package io.github.cellfuse.cli.verify;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Errors;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.LayoutOption;
import io.github.cellfuse.cli.ModelOptions;
import io.github.cellfuse.cli.OptionalArray;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.run.RunInput;
import io.github.cellfuse.cli.run.RunShape;
import io.github.cellfuse.format.file.TextFile;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.spi.Sizes;
import io.github.cellfuse.verify.RandomInput;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.io.PrintWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
            "Without INPUT, two random batches are run: one of full-length sequences, and one of sequences of all"
                    + " lengths, including 0, that starts from random states.",
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
            "  cellfuse verify model.safetensors --device opencl --plan fused --shape 64,200 --seed 7",
            "  cellfuse verify model.safetensors x.npy --lengths lengths.npy --rows 4",
            "  cellfuse verify model.safetensors x.npy --weights f16"
        })
public final class VerifyCommand implements Callable<Integer> {
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,9}),(\\d{1,9})");

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "INPUT",
            converter = InputFile.Converter.class,
            description = "x: a .npy file, an .npz file with one array, or F.npz:NAME. Default: random batches.")
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
            defaultValue = "16",
            description =
                    "Number of rows to compute in double precision, spread over the batch. Bits are compared in all"
                            + " rows. Default: ${DEFAULT-VALUE}.")
    private int judgedRows;

    @Option(
            names = "--shape",
            paramLabel = "N,T",
            description = "Rows and time steps of the random batches. Default: 8,50.")
    private String shape;

    @Option(names = "--seed", paramLabel = "S", description = "Seed of the random batches. Default: 1.")
    private Long seed;

    @Option(
            names = "--json",
            paramLabel = "F.json",
            description = "Write the full report as JSON. The file appears when it is complete.")
    private Path json;

    @Option(names = "--overwrite", description = "Replace F.json if it exists.")
    private boolean overwrite;

    VerifyCommand() {}

    @Override
    public Integer call() {
        checkArguments();
        LstmModel loaded = model.load();
        Map<String, LstmInput> cases = input == null ? randomCases(loaded) : Map.of("input", read(loaded));
        DeviceOption.Choice choice = device.settle(loaded);
        Verifier verifier = new Verifier(m -> device.open(choice, m), judgedRows, device.weights());
        PrintWriter out = spec.commandLine().getOut();
        Map<String, VerifyReport> reports = new LinkedHashMap<>();
        cases.forEach((name, batch) -> {
            VerifyReport report = verifier.verify(loaded, batch);
            VerifyTable.print(out, name, choice, report);
            reports.put(name, report);
        });
        if (json != null) {
            TextFile.write(json, overwrite, Json.text(VerifyJson.of(reports)) + "\n");
        }
        boolean passed = reports.values().stream().allMatch(VerifyReport::passed);
        return passed ? 0 : Errors.FAILED;
    }

    private void checkArguments() {
        if (judgedRows < 1) {
            throw new InvalidInputException("--rows: expected at least 1 row, found " + judgedRows);
        }
        if (input != null && (shape != null || seed != null)) {
            throw new InvalidInputException(
                    (shape != null ? "--shape" : "--seed") + " applies to random batches only, not to " + input);
        }
        if (input == null && lengths != null) {
            throw new InvalidInputException("--lengths requires an INPUT");
        }
        if (json != null) {
            Path[] inputs = Stream.concat(
                            Stream.of(model.path()),
                            Stream.of(input, lengths)
                                    .filter(file -> file != null)
                                    .map(InputFile::path))
                    .toArray(Path[]::new);
            OutputFile.check(json, overwrite, List.of(".json"), inputs);
        }
    }

    private Map<String, LstmInput> randomCases(LstmModel loaded) {
        Matcher size = SHAPE.matcher(shape == null ? "8,50" : shape.trim());
        if (!size.matches()) {
            throw new InvalidInputException("--shape: expected N,T such as 8,50, found '" + shape + "'");
        }
        int rows = Integer.parseInt(size.group(1)), steps = Integer.parseInt(size.group(2));
        if (rows < 1 || steps < 1) {
            throw new InvalidInputException("--shape: expected at least 1 row and 1 time step, found " + shape);
        }
        long from = seed == null ? 1 : seed;
        Map<String, LstmInput> cases = new LinkedHashMap<>();
        cases.put("random", RandomInput.full(loaded, layout.layout(), rows, steps, from));
        cases.put("random, ragged", RandomInput.ragged(loaded, layout.layout(), rows, steps, from));
        return cases;
    }

    /** Reads the user's whole batch into memory, because the comparison needs all of it. */
    private LstmInput read(LstmModel loaded) {
        try (NpyArray x = input.open();
                OptionalArray valid = OptionalArray.open(lengths)) {
            RunShape of = RunShape.of(loaded, layout, x);
            RunInput source = new RunInput(of, x, valid.array(), Optional.empty(), Optional.empty());
            int size = Sizes.elements(x.name() + ": input [N,T,I]", of.rows(), of.steps(), loaded.inputSize());
            int rows = (int) of.rows();
            FloatBuffer features = FloatBuffer.allocate(size);
            source.readInput(0, rows, features);
            LstmInput batch = LstmInput.of(of.layout(), features.rewind(), rows, of.steps());
            return source.readLengths(0, rows).map(batch::withLengths).orElse(batch);
        }
    }
}
