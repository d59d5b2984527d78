package io.github.cellfuse.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.reference.ReferenceEngine;
import io.github.cellfuse.reference.ReferenceOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * Compares a device with the Java engine by bits, over the whole batch, and with the double-precision reference by
 * error, over some of its rows: first the whole model, then each layer by itself, together with what happens inside its
 * cells. Thread safe.
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
        return verify(trained, List.of(input)).get(0);
    }

    /** Runs the comparison for several batches; the engines are opened only once. */
    public List<VerifyReport> verify(LstmModel trained, List<LstmInput> inputs) {
        return verify(trained, inputs, OptionalInt.empty());
    }

    /**
     * Runs the comparison for one layer by itself, or for the whole model and then each layer.
     *
     * @param only the layer; empty for everything
     */
    public List<VerifyReport> verify(LstmModel trained, List<LstmInput> inputs, OptionalInt only) {
        inputs.forEach(input -> input.check(trained));
        LstmModel model = weights.round(trained);
        if (only.isPresent() && only.getAsInt() >= model.layerCount()) {
            throw new InvalidInputException(
                    "layer: expected at most " + (model.layerCount() - 1) + ", found " + only.getAsInt());
        }
        List<Batch> batches = inputs.stream()
                .map(input -> new Batch(input, spread(input.rows(), judgedRows)))
                .toList();
        boolean isOneLayer = model.layerCount() == 1;
        if (!isOneLayer && only.isEmpty()) {
            stage("model", 0, model, batches, (batch, result) -> {
                batch.whole = Optional.of(result.report());
                batch.rounding = rounding(trained, batch, result.found());
            });
        }
        for (int layer = 0; layer <= only.orElse(model.layerCount() - 1); layer++) {
            int index = layer;
            LstmModel alone = model.only(layer);
            if (only.isPresent() && layer < only.getAsInt()) {
                batches.forEach(batch -> batch.begin(model, index));
                expectOnly(alone, batches);
                continue;
            }
            batches.forEach(batch -> batch.begin(model, index));
            stage("layer " + layer, layer, alone, batches, (batch, result) -> {
                batch.layers.add(result.report());
                result.cells().ifPresent(batch.cells::add);
                batch.below = batch.next(result.expected());
                if (isOneLayer) {
                    // The layer is the model.
                    batch.whole = Optional.of(result.report().named("model"));
                    batch.rounding = rounding(trained, batch, result.found());
                }
            });
        }
        return batches.stream().map(Batch::report).toList();
    }

    /** A batch on its way through the stages. */
    private static final class Batch {
        final LstmInput input;
        final int[] rows;
        /** The input of the next stage. */
        LstmInput below, own;

        Device device;
        Tier tier;
        Optional<StageReport> whole = Optional.empty();
        final List<StageReport> layers = new ArrayList<>();
        final List<CellReport> cells = new ArrayList<>();
        Optional<RoundingReport> rounding = Optional.empty();

        Batch(LstmInput input, int[] rows) {
            this.input = input;
            this.rows = rows;
            below = own = input;
        }

        /** Makes the input of a layer by itself. */
        void begin(LstmModel model, int layer) {
            own = input.initialState()
                    .map(initial -> below.withInitialState(stateOf(model, layer, initial)))
                    .orElse(below);
        }

        /** Returns the input of the layer above. */
        LstmInput next(LstmOutput output) {
            return LstmInput.of(input.layout(), output.y(), input.rows(), input.steps())
                    .withLengths(input.lengths());
        }

        VerifyReport report() {
            return new VerifyReport(
                    device, tier, input.rows(), input.steps(), rows.length, whole, layers, cells, rounding);
        }
    }

    private interface Finding {
        void accept(Batch batch, StageEngines.Result result);
    }

    /** Runs a stage of all batches. */
    private void stage(String name, int layer, LstmModel model, List<Batch> batches, Finding finding) {
        try (StageEngines engines = new StageEngines(model, device, expected)) {
            for (Batch batch : batches) {
                batch.device = engines.device().device();
                batch.tier = engines.device().tier();
                finding.accept(batch, engines.run(name, layer, batch.own, batch.rows));
            }
        }
    }
    /** Compares the device's results with double precision and unrounded weights. */
    private Optional<RoundingReport> rounding(LstmModel trained, Batch batch, LstmOutput found) {
        if (weights == WeightPrecision.F32) {
            return Optional.empty();
        }
        LstmInput input = batch.input;
        int[] rows = batch.rows;
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
            return Optional.of(new RoundingReport(
                    weights,
                    y.result(),
                    states(found.finalState().h(), exact.h(), input.rows(), rows, trained.hiddenWidths()),
                    states(found.finalState().c(), exact.c(), input.rows(), rows, trained.cellWidths())));
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

    /** Runs a layer below the one that is compared on the Java engine only. */
    private void expectOnly(LstmModel model, List<Batch> batches) {
        try (LstmEngine engine = expected.apply(model);
                LstmSession session = engine.newSession()) {
            batches.forEach(batch -> batch.below = batch.next(session.run(batch.own)));
        }
    }

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

    /** Products that double precision may take in one stage: some seconds. */
    private static final double AFFORDABLE_PRODUCTS = 5e8;

    private static final int MOST_ROWS = 16;

    /** Returns how many rows of {@code steps} steps to judge unless the user says: 16, or fewer if they take long. */
    public static int affordableRows(LstmModel model, int steps) {
        double products = (double) model.parameters() * steps;
        return (int) Math.max(1, Math.min(MOST_ROWS, AFFORDABLE_PRODUCTS / products));
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
