package io.github.cellfuse.cli.bench;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.BenchCase;
import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.Benchmark;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.bench.Rounds;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.Suite;
import io.github.cellfuse.cli.CellFuse;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.OutputFile;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.cli.Version;
import io.github.cellfuse.cli.WeightsOption;
import io.github.cellfuse.format.file.TextFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code cellfuse bench}: compares kernels and whole runs with the roofline of the device. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Time kernels and whole runs, and compare them with the device's limits.",
        description = {
            "",
            "Measures the device's limits (multiply-adds, memory, launches, transfers), runs a suite, and reports"
                    + " each result as a fraction of the roofline measured around the same round. Before timing, every"
                    + " result is compared bit by bit with plain Java's. Rows that were measured while the machine"
                    + " was busy say so.",
            "",
            "Suites: quick (every plan and kernel at one or two shapes; the default; half a minute on two cores),"
                    + " cell (kernels that stream through memory), lstm (whole runs of many shapes, and how the time"
                    + " grows with T, N and H), deepbench (DeepBench's LSTM shapes), speech (basecallers, streams"
                    + " with voice detection, taggers), all (all five; more than five minutes on two cores).",
            "",
            "A result is the median of --rounds rounds. After three rounds, no new round begins once a shape has"
                    + " taken 2 s. Runs of lstm, deepbench and speech that would take more than 2 s are skipped and"
                    + " listed.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cellfuse bench",
            "  cellfuse bench --suite all --json new.json --html new.html --compare old.json",
            "  cellfuse bench --shape 64,256,512,512 --shape 128,4096,64,64 --rounds 9"
        })
public final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @ParentCommand
    private CellFuse root;

    @Option(
            names = "--suite",
            paramLabel = "SUITE",
            description = "quick, cell, lstm, deepbench, speech or all. Default: quick, if no --shape is given.")
    private String suite;

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H",
            description =
                    "Time steps, rows, features and hidden units of one forward layer. It runs under every plan and on"
                            + " java, regardless of the time it takes. Repeatable.")
    private List<String> shapes = List.of();

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "auto",
            description = "An OpenCL device, or java, which has no kernels to measure. Default: ${DEFAULT-VALUE}.")
    private String device = "auto";

    @Mixin
    private WeightsOption weights = new WeightsOption();

    @Option(
            names = "--rounds",
            paramLabel = "R",
            defaultValue = "7",
            description = "Number of rounds. Default: ${DEFAULT-VALUE}.")
    private int rounds = 7;

    @Option(names = "--json", paramLabel = "F.json", description = "Write the report as JSON.")
    private Path json;

    @Option(
            names = "--html",
            paramLabel = "F.html",
            description = "Write the report as a self-contained page with a roofline plot.")
    private Path html;

    @Option(
            names = "--compare",
            paramLabel = "OLD.json",
            description = "Show the speedup over an earlier --json report.")
    private Path compare;

    @Option(names = "--overwrite", description = "Replace F.json and F.html if they exist.")
    private boolean overwrite;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print only the table and errors.")
    private boolean quiet;

    BenchCommand() {}

    @Override
    public Integer call() {
        List<BenchCase> cases = cases().stream()
                .map(each -> each.withWeights(weights.precision()))
                .toList();
        checkFiles();
        Optional<BenchFile> old = Optional.ofNullable(compare).map(BenchFile::read);
        Device on = device(cases);
        BenchReport report = measure(on, cases);
        Optional<EarlierResults> comparison = old.map(file -> EarlierResults.of(report.results(), file.results()));
        BenchDocument document = new BenchDocument(report, rounds, old, comparison);

        BenchTable.print(spec.commandLine().getOut(), document);
        if (json != null) {
            TextFile.write(json, overwrite, Json.text(BenchJson.of(document)) + "\n");
        }
        if (html != null) {
            TextFile.write(html, overwrite, BenchHtml.page(document));
        }
        return 0;
    }

    private List<BenchCase> cases() {
        if (rounds < 1) {
            throw new InvalidInputException("--rounds: expected at least 1, found " + rounds);
        }
        if (suite != null && !shapes.isEmpty()) {
            throw new InvalidInputException("--suite and --shape exclude each other");
        }
        if (!shapes.isEmpty()) {
            return Suite.of(shapes.stream().map(Shape::parse).toList());
        }
        return (suite == null ? Suite.QUICK : parse(suite)).cases();
    }

    private static Suite parse(String name) {
        try {
            return Suite.parse(name);
        } catch (InvalidInputException e) {
            throw new InvalidInputException("--" + e.getMessage(), e);
        }
    }

    private void checkFiles() {
        Path[] inputs = compare == null ? new Path[0] : new Path[] {compare};
        if (json != null) {
            OutputFile.check(json, overwrite, List.of(".json"), inputs);
        }
        if (html != null) {
            OutputFile.check(html, overwrite, List.of(".html"), inputs);
        }
    }

    private Device device(List<BenchCase> cases) {
        // auto needs no self-test here: a device whose bits differ from java's is rejected before it is timed.
        Device on = device.equals("auto") ? Device.auto().device() : Device.parse(device);
        if (on instanceof Device.Reference) {
            throw new InvalidInputException(
                    "--device: expected an OpenCL device or java, found reference, which is not made for speed");
        }
        if (on instanceof Device.Java && cases.stream().noneMatch(BenchCase::onJava)) {
            throw new InvalidInputException(
                    "--suite: " + cases.get(0).suite() + " measures kernels: expected an OpenCL device, found " + on);
        }
        return on;
    }

    private BenchReport measure(Device on, List<BenchCase> cases) {
        PrintWriter err = spec.commandLine().getErr();
        try (Progress progress =
                quiet ? Progress.none() : Progress.on(root.isTerminal(), err, 0, cases.size(), "measurement")) {
            return Benchmark.run(on, cases, new Rounds(rounds), progress);
        }
    }
}
