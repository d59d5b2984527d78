package io.github.cellfuse.verify;

import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.reference.ReferenceEngine;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The engines that compute one stage: the device, the Java engine and the reference. Belongs to one verification. */
final class StageEngines implements AutoCloseable {
    private static final float UNWRITTEN = -0x1.badbadp+100f;

    private final LstmModel model;
    private final LstmEngine device, expected;
    private final ReferenceEngine reference;
    /** By direction, if the stage is one layer whose cells can be looked into. */
    private final List<CellTwin> twins = new ArrayList<>();

    /** Opens the engines of {@code model}. */
    StageEngines(LstmModel model, Function<LstmModel, LstmEngine> device, Function<LstmModel, LstmEngine> expected) {
        this.model = model;
        this.device = device.apply(model);
        try {
            this.expected = expected.apply(model);
            reference = new ReferenceEngine(model, EngineOptions.DEFAULT);
            if (model.layerCount() == 1 && this.device instanceof TracingEngine) {
                for (int direction = 0; direction < model.layer(0).directionCount(); direction++) {
                    CellTwin.open(expected, model.layer(0), direction).ifPresent(twins::add);
                }
            }
        } catch (RuntimeException | Error e) {
            this.device.close();
            throw e;
        }
    }

    /** What a stage has found for a batch. */
    record Result(StageReport report, Optional<CellReport> cells, LstmOutput found, LstmOutput expected) {}

    /** Returns the device under test. */
    LstmEngine device() {
        return device;
    }

    /**
     * Runs a batch.
     *
     * @param name the stage in the report
     * @param layer the index of the layer if the stage is one
     * @param rows the judged rows
     */
    Result run(String name, int layer, LstmInput input, int[] rows) {
        LstmOutput found = run(device, input), wanted = run(expected, input);
        LstmInput sample = SampledRows.rows(model, input, rows);
        DeviceArithmetic arithmetic = DeviceArithmetic.of(device.tier());
        if (twins.isEmpty()) {
            ErrorBound bound = ErrorBound.of(reference.newSession(), sample, arithmetic);
            StageReport report = new StageComparison(model, input, sample, rows, found, wanted, bound).report(name);
            return new Result(report, Optional.empty(), found, wanted);
        }
        CellComparison cells = new CellComparison(model, layer, input, twins, rows);
        LstmOutput traced = unwritten(model, input);
        try (TracedSession session = ((TracingEngine) device).newTracedSession()) {
            session.run(input, traced, cells);
        }
        ErrorBound bound = ErrorBound.of(reference.newSession(), sample, arithmetic, cells.judge());
        StageReport report = new StageComparison(model, input, sample, rows, found, wanted, bound).report(name);
        return new Result(report, Optional.of(cells.report(differing(found, traced))), found, wanted);
    }

    private static LstmOutput run(LstmEngine engine, LstmInput input) {
        LstmOutput output = unwritten(engine.model(), input);
        try (var session = engine.newSession()) {
            session.run(input, output);
        }
        return output;
    }

    /** Returns output memory in which a value that is never written differs from every correct one. */
    private static LstmOutput unwritten(LstmModel model, LstmInput input) {
        LstmOutput output = LstmOutput.allocate(model, input);
        for (int k = 0; k < output.y().limit(); k++) {
            output.y().put(k, UNWRITTEN);
        }
        Arrays.fill(output.finalState().h(), UNWRITTEN);
        Arrays.fill(output.finalState().c(), UNWRITTEN);
        return output;
    }

    /** Returns the number of values with different bits. */
    private static long differing(LstmOutput one, LstmOutput other) {
        long differing = 0;
        for (int k = 0; k < one.y().limit(); k++) {
            differing += Tally.same(one.y().get(k), other.y().get(k)) ? 0 : 1;
        }
        return differing
                + differing(one.finalState().h(), other.finalState().h())
                + differing(one.finalState().c(), other.finalState().c());
    }

    private static long differing(float[] one, float[] other) {
        long differing = 0;
        for (int k = 0; k < one.length; k++) {
            differing += Tally.same(one[k], other[k]) ? 0 : 1;
        }
        return differing;
    }

    @Override
    public void close() {
        twins.forEach(CellTwin::close);
        reference.close();
        expected.close();
        device.close();
    }
}
