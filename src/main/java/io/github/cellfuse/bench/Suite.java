package io.github.cellfuse.bench;

import io.github.cellfuse.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The suites of {@code cellfuse bench}. */
public enum Suite {
    /** Every plan and every kernel at a shape or two, in well below a minute. */
    QUICK,
    /** The kernels that stream through memory, alone. */
    CELL,
    /** Whole runs of many shapes, the kernels of some, and how time grows with T, N and H. */
    LSTM,
    /** DeepBench's LSTM shapes, its recurrent part and its count of operations. */
    DEEPBENCH,
    /** All of the above. */
    ALL;

    /** What the user's own shapes are a suite of. */
    public static final String SHAPE = "shape";

    /** Two shapes: large, and small enough that everything but the products weighs. */
    private static final String[] QUICK_SHAPES = {"64,256,512,512", "128,64,64,64"};

    /** Large and small batches, long and short sequences, DeepBench's middle: {@code bench/compare} has the same. */
    public static final List<Shape> LSTM_SHAPES = Stream.of(
                    "64,256,512,512",
                    "32,1024,512,512",
                    "64,1024,128,256",
                    "128,4096,64,64",
                    "16,256,1024,1024",
                    "64,64,512,512",
                    "64,16,512,512",
                    "64,1,512,512",
                    "128,64,64,64",
                    "25,128,1024,1024",
                    "150,64,256,256",
                    "50,32,1536,1536")
            .map(Shape::parse)
            .toList();

    private static final int LARGEST_SERIES_ROWS = 16384, LARGEST_SERIES_STEPS = 1024, LARGEST_SERIES_UNITS = 2048;

    /** Its name on the command line and in reports. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Reads a suite's name. */
    public static Suite parse(String text) {
        return Arrays.stream(values())
                .filter(suite -> suite.id().equals(text.trim().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("suite: expected "
                        + Arrays.stream(values()).map(Suite::id).collect(Collectors.joining(", ")) + ", found '" + text
                        + "'"));
    }

    /** What is measured, in order. */
    public List<BenchCase> cases() {
        return switch (this) {
            case QUICK -> quick();
            case CELL -> cell();
            case LSTM -> lstm();
            case DEEPBENCH -> deepbench();
            case ALL ->
                Stream.of(QUICK, CELL, LSTM, DEEPBENCH)
                        .flatMap(suite -> suite.cases().stream())
                        .toList();
        };
    }

    /** The user's own shapes, under every plan and on {@code java}, however long they take. */
    public static List<BenchCase> of(List<Shape> shapes) {
        return shapes.stream()
                .distinct()
                .map(shape ->
                        (BenchCase) new BenchCase.Run(SHAPE, Dimensions.of(shape), BenchCase.Plans.ALL, null, true))
                .toList();
    }

    private List<BenchCase> quick() {
        List<BenchCase> cases = new ArrayList<>();
        for (String shape : QUICK_SHAPES) {
            cases.add(run(Dimensions.of(Shape.parse(shape)), BenchCase.Plans.ALL, null));
        }
        cases.add(new BenchCase.Kernels(id(), Dimensions.of(16, 256, 512, 512)));
        cases.add(new BenchCase.Cell(id(), 0, 1024));
        return cases;
    }

    private List<BenchCase> cell() {
        // From 2 MB, a core's second-level cache, over tens of megabytes to more than any cache.
        return List.of(
                new BenchCase.Cell(id(), 256, 256),
                new BenchCase.Cell(id(), 4096, 64),
                new BenchCase.Cell(id(), 1024, 1024),
                new BenchCase.Cell(id(), 0, 64),
                new BenchCase.Cell(id(), 0, 1024),
                new BenchCase.Activations(id(), 1 << 16),
                new BenchCase.Activations(id(), 1 << 22),
                new BenchCase.Activations(id(), 0));
    }

    private List<BenchCase> lstm() {
        List<BenchCase> cases = new ArrayList<>();
        for (Shape shape : LSTM_SHAPES) {
            cases.add(run(Dimensions.of(shape), BenchCase.Plans.CHOSEN, null));
        }
        cases.add(run(new Dimensions(64, 64, 256, 256, 256, 2, 2), BenchCase.Plans.CHOSEN, null));
        cases.add(new BenchCase.Kernels(id(), Dimensions.of(16, 256, 512, 512)));
        cases.add(new BenchCase.Kernels(id(), new Dimensions(16, 64, 512, 512, 256, 1, 1)));
        // One of three sizes grows fourfold (H twofold, as its cost grows with the square); no series shares a point.
        powers(1, LARGEST_SERIES_ROWS, 4)
                .forEach(n -> cases.add(run(Dimensions.of(16, n, 64, 64), BenchCase.Plans.CHOSEN, "N")));
        powers(1, LARGEST_SERIES_STEPS, 4)
                .forEach(t -> cases.add(run(Dimensions.of(t, 64, 128, 128), BenchCase.Plans.CHOSEN, "T")));
        powers(32, LARGEST_SERIES_UNITS, 2)
                .forEach(h -> cases.add(run(Dimensions.of(8, 64, h, h), BenchCase.Plans.CHOSEN, "H")));
        return cases;
    }

    private List<BenchCase> deepbench() {
        List<BenchCase> cases = new ArrayList<>();
        // Inference, then training, whose forward pass is the same thing with more rows.
        recurrent(cases, new int[] {512, 1024, 2048}, 25, 1, 2, 4);
        recurrent(cases, new int[] {1536}, 50, 1, 2, 4);
        recurrent(cases, new int[] {256}, 150, 1, 2, 4);
        recurrent(cases, new int[] {512, 1024, 2048, 4096}, 25, 16, 32, 64, 128);
        recurrent(cases, new int[] {1536}, 50, 8, 16, 32);
        recurrent(cases, new int[] {256}, 150, 16, 32, 64);
        return cases;
    }

    private void recurrent(List<BenchCase> cases, int[] units, int steps, int... rows) {
        for (int h : units) {
            for (int n : rows) {
                // One feature, as a layer has to have one: its product isn't timed.
                cases.add(new BenchCase.Recurrent(id(), Dimensions.of(steps, n, 1, h)));
            }
        }
    }

    private BenchCase run(Dimensions dimensions, BenchCase.Plans plans, String series) {
        return new BenchCase.Run(id(), dimensions, plans, series, false);
    }

    private static IntStream powers(int first, int last, int factor) {
        return IntStream.iterate(first, k -> k <= last, k -> k * factor);
    }
}
