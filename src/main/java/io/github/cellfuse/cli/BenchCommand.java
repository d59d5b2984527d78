package io.github.cellfuse.cli;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.Contest;
import io.github.cellfuse.bench.Shape;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cellfuse bench}: every plan of a device and {@code java}, against the device's multiply-add peak. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        header = "Time every plan of a device, and java, against the device's own limit.",
        description = {
            "",
            "One forward layer on random data. The contenders take turns, round by round, with a measurement of the device's"
                    + " multiply-add peak in each round; the table has medians. Before anything is timed, all results are"
                    + " compared by bits. GFLOP/s count the products alone: 8*H*(H+I)*N*T.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {"  cellfuse bench", "  cellfuse bench --shape 64,256,512,512 --shape 128,4096,64,64 --rounds 9"})
final class BenchCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "auto",
            description = "An OpenCL device, or java. Default: ${DEFAULT-VALUE}.")
    private String device = "auto";

    @Option(
            names = "--shape",
            paramLabel = "T,N,I,H",
            defaultValue = "64,256,512,512",
            description =
                    "Time steps, rows, features, hidden units; may be given more than once. Default: ${DEFAULT-VALUE}.")
    private List<String> shapes = List.of();

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "7", description = "Default: ${DEFAULT-VALUE}.")
    private int rounds = 7;

    @Override
    public Integer call() {
        if (rounds < 1) {
            throw new InvalidInputException("--rounds: expected at least 1, found " + rounds);
        }
        // No self-test is needed for auto here: the contest refuses a device whose bits aren't java's.
        Device on = device.equals("auto") ? Device.auto().device() : Device.parse(device);
        if (on instanceof Device.Reference) {
            throw new InvalidInputException(
                    "--device: expected an OpenCL device or java, found reference, which is not made for speed");
        }
        List<Shape> parsed = shapes.stream().map(Shape::parse).toList();
        PrintWriter out = spec.commandLine().getOut();
        boolean hasHead = false;
        for (Shape shape : parsed) {
            List<Contest.Result> results = Contest.run(shape, Contest.contenders(on), rounds);
            if (!hasHead) {
                // Not before the devices are open: one that isn't there is refused without a table.
                out.println("T,N,I,H            contender              ms     GFLOP/s   of FMA peak");
                hasHead = true;
            }
            for (Contest.Result result : results) {
                out.printf(
                        Locale.ROOT,
                        "%-18s %-18s %9.2f %10.1f %10s%n",
                        shape,
                        result.name(),
                        result.seconds() * 1e3,
                        shape.flops() / result.seconds() * 1e-9,
                        Double.isNaN(result.ofPeak()) ? "-" : String.format(Locale.ROOT, "%.2f", result.ofPeak()));
            }
            out.flush();
        }
        return 0;
    }
}
