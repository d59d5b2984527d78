package io.github.cellfuse.bench;

import io.github.cellfuse.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Measures cases one after another on one device. Not thread safe. */
public final class Benchmark {
    /** Runs that are expected to take longer than this are skipped: with checks, warming up and rounds it is ten times as much. */
    static final double LONGEST_SECONDS = 2;

    /** What is expected of a run, as a share of the multiply-add peak. */
    private static final double EXPECTED_SHARE = 0.5;

    /** What is expected of plain Java where there is no peak to take a share of, in operations per second and core. */
    private static final double EXPECTED_OF_A_CORE = 20e9;

    private static final int PEAK_SAMPLES = 3;

    private Benchmark() {}

    /**
     * Measures {@code cases} on {@code device}.
     *
     * @param rounds how often
     * @param progress takes the number of cases done
     * @throws io.github.cellfuse.InvalidInputException when there is no such device
     * @throws io.github.cellfuse.CellFuseException when it fails, or its results aren't plain Java's in every bit
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

    /** By the best of a few samples: what is skipped shall not depend on a busy moment at the start. */
    private static double expectedSpeed(Ceiling ceiling) {
        double peak = IntStream.range(0, PEAK_SAMPLES)
                .mapToDouble(k -> ceiling.sample().flopsPerSecond())
                .max()
                .orElseThrow();
        return Double.isNaN(peak)
                ? EXPECTED_OF_A_CORE * Runtime.getRuntime().availableProcessors()
                : EXPECTED_SHARE * peak;
    }

    /** Why {@code each} isn't measured on a device of which {@code speed} operations a second are expected; null where it is. */
    static String reasonToSkip(BenchCase each, Device device, double speed) {
        if (!each.onJava() && !(device instanceof Device.OpenCl)) {
            return "it measures kernels, and " + device + " has none";
        }
        double seconds = each.cost() / speed;
        if (seconds > LONGEST_SECONDS) {
            return String.format(
                    Locale.ROOT,
                    "a run of it would take about %.1f s, at the %.0f GFLOP/s expected of this device, and the limit is %.0f s",
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
