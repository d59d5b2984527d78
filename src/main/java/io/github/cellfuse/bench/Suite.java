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
    /** Every plan and every kernel at one or two shapes; takes less than a minute. */
    QUICK,
    /** The kernels that stream through memory, one at a time. */
    CELL,
    /** Whole runs of many shapes, the kernels of some, and how the time grows with T, N and H. */
    LSTM,
    /** DeepBench's LSTM shapes: the recurrent part, with DeepBench's count of operations. */
    DEEPBENCH,
    /** Models of speech, signals and words: basecallers, streams with voice detection, taggers. */
    SPEECH,
    /** All of the above. */
    ALL;

    /** The suite's name for the user's own shapes. */
    public static final String SHAPE = "shape";

    /** A large shape, and one so small that everything except the products matters. */
    private static final String[] QUICK_SHAPES = {"64,256,512,512", "128,64,64,64"};

    /**
     * Large and small batches, long and short sequences, and DeepBench's medium sizes. {@code bench/compare} uses the
     * same shapes.
     */
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

    /** Returns the name on the command line and in reports. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Parses a suite's name. */
    public static Suite parse(String text) {
        return Arrays.stream(values())
                .filter(suite -> suite.id().equals(text.trim().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("suite: expected "
                        + Arrays.stream(values()).map(Suite::id).collect(Collectors.joining(", ")) + ", found '" + text
                        + "'"));
    }

    /** Returns the cases, in the order in which they are measured. */
    public List<BenchCase> cases() {
        return switch (this) {
            case QUICK -> quick();
            case CELL -> cell();
            case LSTM -> lstm();
            case DEEPBENCH -> deepbench();
            case SPEECH -> speech();
            case ALL ->
                Stream.of(QUICK, CELL, LSTM, DEEPBENCH, SPEECH)
                        .flatMap(suite -> suite.cases().stream())
                        .toList();
        };
    }

    /** Returns the cases for the user's own shapes: every plan and {@code java}, regardless of the time they take. */
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
        // From 2 MB, the size of a core's second-level cache, through tens of megabytes to more than any cache.
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
        cases.add(run(Dimensions.of(64, 64, 256, 256).withLayers(2).withDirections(2), BenchCase.Plans.CHOSEN, null));
        cases.add(new BenchCase.Kernels(id(), Dimensions.of(16, 256, 512, 512)));
        cases.add(new BenchCase.Kernels(id(), Dimensions.of(16, 64, 512, 512).withProjection(256)));
        // In each series, one size grows by a factor of 4 (H by 2, since its cost grows with the square). No two series
        // share a point.
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
        // Inference shapes first, then training shapes: their forward pass is the same computation with more rows.
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
                // One feature, because a layer needs at least one. Its product isn't timed.
                cases.add(new BenchCase.Recurrent(id(), Dimensions.of(steps, n, 1, h)));
            }
        }
    }

    private List<BenchCase> speech() {
        List<BenchCase> cases = new ArrayList<>();
        // The LSTMs of a basecaller for nanopores: five layers of 384 units, every second one from the end to the
        // start.
        // Its signals come in batches of 64 pieces of 1600 steps, or as many shorter ones for less delay.
        for (Shape shape : shapes("160,64,384,384", "64,1600,384,384", "1600,64,384,384")) {
            Dimensions basecaller = Dimensions.of(shape).withLayers(5).withAlternatingDirections();
            cases.add(run(basecaller, BenchCase.Plans.CHOSEN, null));
        }
        // Voice activity in streams, whose frames come one at a time; each row is a stream.
        for (Shape shape : shapes("1,1,128,128", "1,64,128,128", "1,1024,128,128")) {
            cases.add(run(Dimensions.of(shape), BenchCase.Plans.CHOSEN, null));
        }
        // A tagger of words: sentences of 32 and of 8 words.
        for (Shape shape : shapes("32,256,128,256", "8,32,128,256")) {
            Dimensions tagger = Dimensions.of(shape).withLayers(2).withDirections(2);
            cases.add(run(tagger, BenchCase.Plans.CHOSEN, null));
        }
        return cases;
    }

    private static List<Shape> shapes(String... texts) {
        return Stream.of(texts).map(Shape::parse).toList();
    }

    private BenchCase run(Dimensions dimensions, BenchCase.Plans plans, String series) {
        return new BenchCase.Run(id(), dimensions, plans, series, false);
    }

    private static IntStream powers(int first, int last, int factor) {
        return IntStream.iterate(first, k -> k <= last, k -> k * factor);
    }
}
