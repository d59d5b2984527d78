package io.github.cellfuse.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.reference.ReferenceEngine;
import io.github.cellfuse.reference.ReferenceOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Compares a device with the Java engine by bits, over the whole batch, and with the double-precision reference by
 * error, over some of its rows: first the whole model, then each layer by itself. Thread safe.
 *
 * <pre>{@code
 * VerifyReport report = new Verifier(m -> LstmEngine.open(device, m), 16).verify(model, input);
 * if (!report.passed()) …
 * }</pre>
 */
public final class Verifier {
    private final Function<LstmModel, LstmEngine> device;
    private final Function<LstmModel, LstmEngine> expected;
    private final int judgedRows;
    private final WeightPrecision weights;

    /**
     * Verifies a device.
     *
     * @param device opens a model on the device; called for the whole model and for each layer. The engines are closed.
     * @param judgedRows number of rows to compare with the error bound, at least 1; all rows if the batch has fewer.
     *     The reference is slow.
     * @throws InvalidInputException if {@code judgedRows} is less than 1
     */
    public Verifier(Function<LstmModel, LstmEngine> device, int judgedRows) {
        this(device, judgedRows, WeightPrecision.F32);
    }

    /**
     * Verifies a device that stores its weights in another precision. The Java engine and the reference use the rounded
     * weights, too. The report additionally says how far the results are from those of the unrounded model.
     *
     * @param device opens a model with {@linkplain EngineOptions#weights() weights} of this precision on the device;
     *     otherwise as above
     */
    public Verifier(Function<LstmModel, LstmEngine> device, int judgedRows, WeightPrecision weights) {
        this(device, model -> LstmEngine.open(Device.JAVA, model), judgedRows, weights);
    }

    Verifier(Function<LstmModel, LstmEngine> device, Function<LstmModel, LstmEngine> expected, int judgedRows) {
        this(device, expected, judgedRows, WeightPrecision.F32);
    }

    private Verifier(
            Function<LstmModel, LstmEngine> device,
            Function<LstmModel, LstmEngine> expected,
            int judgedRows,
            WeightPrecision weights) {
        if (judgedRows < 1) {
            throw new InvalidInputException("rows to judge: expected at least 1, found " + judgedRows);
        }
        this.device = device;
        this.expected = expected;
        this.judgedRows = judgedRows;
        this.weights = weights;
    }

    /**
     * Runs the comparison.
     *
     * @throws InvalidInputException if the input doesn't fit the model, or the weights don't fit the precision
     * @throws io.github.cellfuse.CellFuseException if the device fails
     */
    public VerifyReport verify(LstmModel trained, LstmInput input) {
        input.check(trained);
        LstmModel model = weights.round(trained);
        int[] rows = spread(input.rows(), judgedRows);
        Stage whole = stage("model", model, input, rows);
        List<StageReport> layers = new ArrayList<>();
        LstmInput below = input;
        for (int layer = 0; layer < model.layerCount(); layer++) {
            LstmModel alone = model.only(layer);
            LstmInput own = input.initialState().isPresent()
                    ? below.withInitialState(
                            stateOf(model, layer, input.initialState().get()))
                    : below;
            Stage stage = stage("layer " + layer, alone, own, rows);
            layers.add(stage.report);
            below = LstmInput.of(input.layout(), stage.expected.y(), input.rows(), input.steps())
                    .withLengths(input.lengths());
        }
        return new VerifyReport(
                whole.device,
                whole.tier,
                input.rows(),
                input.steps(),
                rows.length,
                whole.report,
                layers,
                weights == WeightPrecision.F32
                        ? Optional.empty()
                        : Optional.of(rounding(trained, input, rows, whole.found)));
    }

    /** Compares the device's results with double precision and unrounded weights. */
    private RoundingReport rounding(LstmModel trained, LstmInput input, int[] rows, LstmOutput found) {
        LstmInput sample = SampledRows.rows(trained, input, rows);
        try (ReferenceEngine reference = new ReferenceEngine(trained, EngineOptions.DEFAULT)) {
            ReferenceOutput exact = reference.newSession().runDouble(sample);
            RoundingReport.Sum y = new RoundingReport.Sum();
            int width = trained.outputSize();
            for (int n = 0; n < rows.length; n++) {
                for (int time = 0; time < input.steps(); time++) {
                    int at = input.offset(rows[n], time, width), sampleAt = sample.offset(n, time, width);
                    for (int k = 0; k < width; k++) {
                        y.add(found.y().get(at + k), exact.y()[sampleAt + k]);
                    }
                }
            }
            return new RoundingReport(
                    weights,
                    y.result(),
                    states(found.finalState().h(), exact.h(), input.rows(), rows, trained.hiddenWidths()),
                    states(found.finalState().c(), exact.c(), input.rows(), rows, trained.cellWidths()));
        }
    }

    /**
     * Compares final states, matrices {@code [N,widths[k]]} one after the other, with those of the sample's
     * {@code rows}.
     */
    private static RoundingReport.Distance states(
            float[] found, double[] exact, int allRows, int[] rows, int[] widths) {
        RoundingReport.Sum sum = new RoundingReport.Sum();
        int all = 0, sampled = 0;
        for (int width : widths) {
            for (int k = 0; k < rows.length * width; k++) {
                sum.add(found[all + rows[k / width] * width + k % width], exact[sampled + k]);
            }
            all += allRows * width;
            sampled += rows.length * width;
        }
        return sum.result();
    }

    private record Stage(StageReport report, LstmOutput found, LstmOutput expected, Device device, Tier tier) {}

    private Stage stage(String name, LstmModel model, LstmInput input, int[] rows) {
        try (LstmEngine tested = device.apply(model);
                LstmEngine exact = expected.apply(model);
                ReferenceEngine reference = new ReferenceEngine(model, EngineOptions.DEFAULT)) {
            LstmOutput found = run(tested, input), wanted = run(exact, input);
            LstmInput sample = SampledRows.rows(model, input, rows);
            ErrorBound bound = ErrorBound.of(reference.newSession(), sample, DeviceArithmetic.of(tested.tier()));
            StageReport report = new StageComparison(model, input, sample, rows, found, wanted, bound).report(name);
            return new Stage(report, found, wanted, tested.device(), tested.tier());
        }
    }

    private static LstmOutput run(LstmEngine engine, LstmInput input) {
        LstmOutput output = LstmOutput.allocate(engine.model(), input);
        // A value that is never written differs from every correct one.
        for (int k = 0; k < output.y().limit(); k++) {
            output.y().put(k, UNWRITTEN);
        }
        Arrays.fill(output.finalState().h(), UNWRITTEN);
        Arrays.fill(output.finalState().c(), UNWRITTEN);
        try (var session = engine.newSession()) {
            session.run(input, output);
        }
        return output;
    }

    private static final float UNWRITTEN = -0x1.badbadp+100f;

    /** Returns the states of one layer. */
    private static LstmState stateOf(LstmModel model, int layer, LstmState all) {
        long rows = all.rows();
        return new LstmState(
                all.rows(),
                range(all.h(), model.hiddenValuesBelow(layer) * rows, model.hiddenValuesBelow(layer + 1) * rows),
                range(all.c(), model.cellValuesBelow(layer) * rows, model.cellValuesBelow(layer + 1) * rows));
    }

    private static float[] range(float[] values, long from, long to) {
        return Arrays.copyOfRange(values, Math.toIntExact(from), Math.toIntExact(to));
    }

    /**
     * Returns {@code count} indices of {@code rows} rows, evenly spread, including the first and the last; all rows if
     * there are no more.
     */
    static int[] spread(int rows, int count) {
        int[] chosen = new int[Math.min(rows, count)];
        for (int k = 0; k < chosen.length; k++) {
            chosen[k] = chosen.length == 1 ? 0 : (int) ((long) k * (rows - 1) / (chosen.length - 1));
        }
        return chosen;
    }
}
