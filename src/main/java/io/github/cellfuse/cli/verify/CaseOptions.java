package io.github.cellfuse.cli.verify;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.verify.BatchCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The options that say which generated batches are verified; a mixin. */
final class CaseOptions {
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,9}),(\\d{1,9})");
    private static final String DEFAULT_SHAPE = "8,50";
    private static final String ALL = "all";

    @Option(
            names = "--case",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Cases to verify: random, ragged, saturation, cancellation, denormals, zeros, infinities, nan,"
                            + " huge-weights, tiny-weights, linear, drift, or all. Default without INPUT: all but"
                            + " drift, which takes 10000 steps. With INPUT, only the cases that change the weights"
                            + " apply: huge-weights, tiny-weights and linear.")
    private List<String> cases;

    @Option(
            names = "--shape",
            paramLabel = "N,T",
            description = "Rows and time steps of the generated batches. Default: 8,50. Unless a single case is named,"
                    + " random and ragged have this shape, and the others at most 12 rows and 16 steps.")
    private String shape;

    @Option(names = "--seed", paramLabel = "S", description = "Seed of the generated batches. Default: 1.")
    private Long seed;

    CaseOptions() {}

    /** Rejects options that don't apply to the user's batch. */
    void checkFor(Object input) {
        if (shape != null || seed != null) {
            throw new InvalidInputException(
                    (shape != null ? "--shape" : "--seed") + " applies to generated batches only, not to " + input);
        }
        for (BatchCase each : chosen()) {
            if (cases != null && !each.changesModel()) {
                throw new InvalidInputException("--case " + each + " makes a batch of its own; leave out " + input);
            }
        }
    }

    /** Returns the named cases. */
    private List<BatchCase> chosen() {
        if (cases == null) {
            return Arrays.stream(BatchCase.values())
                    .filter(each -> each != BatchCase.DRIFT)
                    .toList();
        }
        if (cases.stream().anyMatch(name -> name.trim().equalsIgnoreCase(ALL))) {
            return List.of(BatchCase.values());
        }
        try {
            return cases.stream().map(BatchCase::of).toList();
        } catch (InvalidInputException e) {
            throw new InvalidInputException("--" + e.getMessage(), e);
        }
    }

    /** Returns the cases that the user's batch is verified with: as it is, or with other weights. */
    List<VerifyCase> of(LstmModel model, boolean isFloat16, VerifyCase given) {
        if (cases == null) {
            return List.of(given);
        }
        List<VerifyCase> all = new ArrayList<>();
        for (BatchCase each : chosen()) {
            List<String> repeat = new ArrayList<>(given.repeat());
            repeat.addAll(List.of("--case", each.toString()));
            all.add(new VerifyCase(given.name() + ", " + each, each.model(model, isFloat16), given.input(), repeat));
        }
        return all;
    }

    /** Returns the generated cases. */
    List<VerifyCase> generated(LstmModel model, boolean isFloat16, Layout layout) {
        Matcher size = SHAPE.matcher(shape == null ? DEFAULT_SHAPE : shape.trim());
        if (!size.matches()) {
            throw new InvalidInputException(
                    "--shape: expected N,T such as " + DEFAULT_SHAPE + ", found '" + shape + "'");
        }
        int rows = Integer.parseInt(size.group(1)), steps = Integer.parseInt(size.group(2));
        if (rows < 1 || steps < 1) {
            throw new InvalidInputException("--shape: expected at least 1 row and 1 time step, found " + shape);
        }
        long from = seed == null ? 1 : seed;
        boolean isExact = shape != null && cases != null && cases.size() == 1;
        List<VerifyCase> all = new ArrayList<>();
        for (BatchCase each : chosen()) {
            int n = isExact ? rows : each.rows(rows), t = isExact ? steps : each.steps(steps);
            all.add(new VerifyCase(
                    each.toString(),
                    each.model(model, isFloat16),
                    each.input(model, layout, n, t, from),
                    List.of("--case", each.toString(), "--shape", n + "," + t, "--seed", Long.toString(from))));
        }
        return all;
    }
}
