package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Measures cases, one after another, on one device. Not thread safe. */
public final class Benchmark {
    /** The longest run that isn't skipped. With checks, warm-up and rounds, it takes ten times as long. */
    static final double LONGEST_SECONDS = 2;

    /** The expected speed of a run as a share of the multiply-add peak. */
    private static final double EXPECTED_SHARE = 0.5;

    /** The expected speed of plain Java where no peak is known, in operations per second and core. */
    private static final double EXPECTED_OF_A_CORE = 20e9;

    private static final int PEAK_SAMPLES = 3;

    private Benchmark() {}

    /**
     * Measures {@code cases} on {@code device}.
     *
     * @param rounds the number of rounds
     * @param progress receives the number of cases done
     * @throws io.github.cellfuse.InvalidInputException when there is no such device
     * @throws io.github.cellfuse.CellFuseException when the device fails, or its results differ from plain Java's in
     *     any bit
     */
    public static BenchReport run(Device device, List<BenchCase> cases, Rounds rounds, LongConsumer progress) {
        List<BenchResult> results = new ArrayList<>();
        List<BenchReport.Skipped> skipped = new ArrayList<>();
        try (Ceiling ceiling = new Ceiling(device)) {
            double speed = expectedSpeed(ceiling);
            for (int k = 0; k < cases.size(); k++) {
                BenchCase each = cases.get(k);
                String reason = reasonToSkip(each, ceiling.device(), speed);
                if (reason == null) {
                    results.addAll(measure(each, ceiling, rounds));
                } else {
                    skipped.add(new BenchReport.Skipped(each.suite(), each.describe(), reason));
                }
                progress.accept(k + 1);
            }
            return new BenchReport(ceiling.report(), results, skipped);
        }
    }

    /**
     * Returns the expected speed, by the best of a few samples, so that a busy moment at the start doesn't decide what
     * is skipped.
     */
    private static double expectedSpeed(Ceiling ceiling) {
        double peak = IntStream.range(0, PEAK_SAMPLES)
                .mapToDouble(k -> ceiling.peak())
                .max()
                .orElseThrow();
        return Double.isNaN(peak)
                ? EXPECTED_OF_A_CORE * Runtime.getRuntime().availableProcessors()
                : EXPECTED_SHARE * peak;
    }

    /**
     * Returns why a case is skipped on a device with an expected {@code speed} in operations per second, or null if it
     * isn't skipped.
     */
    static String reasonToSkip(BenchCase each, Device device, double speed) {
        if (!each.onJava() && !(device instanceof Device.OpenCl)) {
            return "it measures kernels, which " + device + " doesn't have";
        }
        double seconds = each.cost() / speed;
        if (seconds > LONGEST_SECONDS) {
            return String.format(
                    Locale.ROOT,
                    "a run would take about %.1f s at the expected %.0f GFLOP/s; the limit is %.0f s",
                    seconds,
                    speed * 1e-9,
                    LONGEST_SECONDS);
        }
        return null;
    }

    private static List<BenchResult> measure(BenchCase each, Ceiling ceiling, Rounds rounds) {
        if (each instanceof BenchCase.Run run) {
            return Contest.measure(run, ceiling, rounds);
        }
        if (each instanceof BenchCase.Kernels kernels) {
            return KernelMeasurement.measure(kernels, ceiling, rounds);
        }
        if (each instanceof BenchCase.Recurrent recurrent) {
            return KernelMeasurement.measure(recurrent, ceiling, rounds);
        }
        if (each instanceof BenchCase.Cell cell) {
            return KernelMeasurement.measure(cell, ceiling, rounds);
        }
        return KernelMeasurement.measure((BenchCase.Activations) each, ceiling, rounds);
    }
}
