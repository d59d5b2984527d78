package io.github.cellfuse.cli.tune;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.PartOptions;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.WeightsOption;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.opencl.tune.Tuner;
import io.github.cellfuse.opencl.tune.Tuning;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cellfuse tune}: measures the ways to run a model on a device, and stores the fastest for later runs. */
@Command(
        name = "tune",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Measure the candidate plans on an OpenCL device, and store the fastest.",
        description = {
            "",
            "For each shape, the candidates differ in plan, tile and work distribution. First their results are"
                    + " compared bit by bit; then they take turns on random data. A candidate that is clearly faster"
                    + " than the usual choice (by at least 3 %% in the median, and in three of four rounds) is"
                    + " stored in a small text file for the device. Later runs with the same layer size and weight"
                    + " precision, and half to twice the rows, use it. Results don't change by a single bit.",
            "",
            "Without MODEL, the command measures single layers with 64, 128, 256, 512 and 1024 units and as many"
                    + " inputs. With the default shapes, this takes some minutes on two cores.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse tune model.safetensors",
            "  cellfuse tune model.safetensors --device opencl:0.0 --shape 36,240 --shape 1,1",
            "  cellfuse tune --dry-run --shape 64,256",
            "  cellfuse tune --forget"
        })
public final class TuneCommand implements Callable<Integer> {
    private static final Pattern SHAPE = Pattern.compile("([0-9]{1,6}),([0-9]{1,6})");

    /** A stored plan serves half to twice its rows, so these cover batches of 1 to 2048 rows. */
    private static final int[] ROWS = {1, 4, 16, 64, 256, 1024};

    private static final int[] UNITS = {64, 128, 256, 512, 1024};

    /**
     * A default shape has about this many row-steps, so that many rows don't take minutes. {@link #LEAST_STEPS} steps
     * are enough to represent all longer sequences.
     */
    private static final int WORK = 4096, LEAST_STEPS = 16, MOST_STEPS = 64;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            description = "A .safetensors, .keras, .h5 or .onnx file with an LSTM. Default: layers of common sizes.")
    private Path path;

    @Mixin
    private PartOptions part = new PartOptions();

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "auto",
            description = "An OpenCL device: auto, opencl, opencl:P or opencl:P.D. Default: ${DEFAULT-VALUE}.")
    private String device = "auto";

    @Option(
            names = "--shape",
            paramLabel = "T,N",
            description =
                    "Time steps and rows to measure. Repeatable. Default: 1, 4, 16, 64, 256 and 1024 rows of 16 to 64"
                            + " steps.")
    private List<String> shapes = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "3",
            description =
                    "Time to measure each shape, not counting compilation. A few rounds always run, even if they take"
                            + " longer. Default: ${DEFAULT-VALUE}.")
    private double seconds = 3;

    @Mixin
    private WeightsOption weights = new WeightsOption();

    @Option(names = "--dry-run", description = "Measure, but store nothing.")
    private boolean dryRun;

    @Option(names = "--forget", description = "Delete the plans stored for the device, and measure nothing.")
    private boolean forget;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print only tables and errors.")
    private boolean quiet;

    /** Time steps and rows. */
    private record Batch(int steps, int rows) {}

    @Override
    public Integer call() {
        checkArguments();
        List<Batch> batches = shapes.isEmpty()
                ? defaultBatches()
                : shapes.stream().map(TuneCommand::parse).toList();
        List<Supplier<LstmModel>> models = models();
        Device.OpenCl on = device();
        Optional<Path> file = Tuner.file(on);
        if (file.isEmpty() && !dryRun) {
            throw new InvalidInputException(
                    "tuned plans are disabled (cellfuse.tuned=off, CELLFUSE_TUNED=off, or no program cache); use"
                            + " --dry-run to measure without storing");
        }
        if (forget) {
            say(Tuner.forget(on) ? "deleted " + file.orElseThrow() : "no plans are stored for " + on);
            return 0;
        }
        int done = 0, winners = 0, total = models.size() * batches.size();
        // One model at a time, so that the weights of only one are in memory.
        for (Supplier<LstmModel> model : models) {
            try (Tuner tuner = new Tuner(on, model.get(), weights.precision())) {
                if (done == 0) {
                    say("measured " + on + ": " + tuner.speed());
                }
                for (Batch batch : batches) {
                    String what = tuner.layer() + ", " + Numbers.count(batch.rows(), "row") + " x "
                            + Numbers.count(batch.steps(), "step");
                    // A line rather than a progress bar, whose thread would disturb the measurement.
                    say("tuning " + on + ", shape " + ++done + " of " + total + ": " + what);
                    Tuning tuning = tuner.tune(batch.rows(), batch.steps(), seconds);
                    TuneTable.print(spec.commandLine().getOut(), what, tuning, !dryRun);
                    if (!dryRun) {
                        tuner.store(tuning); // at once, so that Ctrl-C loses no measurement
                    }
                    winners += tuning.measured().stream().anyMatch(Tuning.Measured::isWinner) ? 1 : 0;
                }
            }
        }
        say("a candidate beat the usual choice in " + winners + " of " + Numbers.count(total, "shape")
                + (dryRun ? "; nothing was stored" : "; stored in " + file.orElseThrow()));
        return 0;
    }

    private void checkArguments() {
        if (!(seconds > 0 && seconds <= 3600)) {
            throw new InvalidInputException("--seconds: expected more than 0 and at most 3600, found " + seconds);
        }
        if (path == null && part.given().isPresent()) {
            throw new InvalidInputException(part.given().get() + " requires a MODEL");
        }
        if (forget && (path != null || !shapes.isEmpty() || dryRun)) {
            throw new InvalidInputException("--forget can only be combined with --device, not with "
                    + (path != null ? "a MODEL" : dryRun ? "--dry-run" : "--shape"));
        }
    }

    private static Batch parse(String text) {
        Matcher matcher = SHAPE.matcher(text.trim());
        if (!matcher.matches()) {
            throw new InvalidInputException("--shape: expected T,N such as 64,256, found '" + text + "'");
        }
        Batch batch = new Batch(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        if (batch.steps() < 1 || batch.rows() < 1) {
            throw new InvalidInputException("--shape: expected at least 1 time step and 1 row, found " + text);
        }
        return batch;
    }

    private static List<Batch> defaultBatches() {
        return IntStream.of(ROWS)
                .mapToObj(rows -> new Batch(Math.max(LEAST_STEPS, Math.min(MOST_STEPS, WORK / rows)), rows))
                .toList();
    }

    private Device.OpenCl device() {
        Device on;
        if (device.trim().equalsIgnoreCase("auto")) {
            AutoDevice.Candidate choice = Device.auto();
            if (!(choice.device() instanceof Device.OpenCl)) {
                throw new InvalidInputException("--device: expected an OpenCL device, but auto chooses "
                        + choice.device() + " (" + choice.reason() + "), which has nothing to tune");
            }
            on = choice.device();
        } else {
            on = Device.parse(device);
        }
        if (on instanceof Device.OpenCl openCl) {
            return openCl;
        }
        throw new InvalidInputException(
                "--device: expected an OpenCL device, found " + on + ", which has nothing to tune");
    }

    private List<Supplier<LstmModel>> models() {
        if (path != null) {
            LstmModel model = ModelFiles.read(path, part.part());
            return List.of(() -> model);
        }
        List<Supplier<LstmModel>> models = new ArrayList<>();
        for (int units : UNITS) {
            models.add(() -> layer(units));
        }
        return models;
    }

    /** Returns one forward layer with the distribution of PyTorch's default initialization. */
    private static LstmModel layer(int units) {
        Random random = new Random(1);
        float[] weights = new float[4 * units * units], bias = new float[4 * units];
        float scale = (float) (1 / Math.sqrt(units));
        for (int k = 0; k < weights.length; k++) {
            weights[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        LstmWeights layer = LstmWeights.builder(units, units)
                .input(weights)
                .recurrent(weights)
                .inputBias(bias)
                .recurrentBias(bias)
                .build();
        return new LstmModel(Direction.FORWARD, List.of(List.of(layer)));
    }

    private void say(String message) {
        if (!quiet) {
            spec.commandLine().getErr().println("cellfuse: " + Problems.oneLine(message));
        }
    }
}
