package io.github.cellfuse.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.reference.ReferenceEngine;
import io.github.cellfuse.reference.ReferenceOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class VerifierTest {
    private static final int ALL = Integer.MAX_VALUE;

    /** Two layers, 5 rows of 6 steps. */
    private final LstmModel model = RandomLstm.model(new Random(4), 2, 3, 8, false, true);

    private final LstmInput input = RandomInput.full(model, Layout.BATCH_MAJOR, 5, 6, 9);

    static Stream<Device> devices() {
        return TestEngines.all().stream();
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("devices")
    void everyDeviceHereIsVerified(Device device) {
        for (long seed : Extent.seeds(TestEngines.seed(0), 6, 12).toArray()) {
            RandomLstm random = RandomLstm.any(seed);
            VerifyReport report =
                    new Verifier(m -> LstmEngine.open(device, m), 3).verify(random.model(), random.input());
            assertTrue(report.passed(), random + ": " + report);
            assertEquals(report.tier() == Tier.EXACT, report.bitsRequired());
            assertEquals(random.model().layerCount(), report.layers().size());
            assertEquals(Math.min(3, random.input().rows()), report.judgedRows());
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void roundedWeightsAreVerifiedAndTheirCostIsTold(Device device) {
        for (WeightPrecision weights : WeightPrecision.values()) {
            EngineOptions options = EngineOptions.DEFAULT.withWeights(weights);
            VerifyReport report =
                    new Verifier(m -> LstmEngine.open(device, m, options), ALL, weights).verify(model, input);
            assertTrue(report.passed(), report::toString);
            if (weights == WeightPrecision.F32) {
                assertEquals(Optional.empty(), report.rounding());
                continue;
            }
            RoundingReport rounding = report.rounding().orElseThrow();
            assertEquals(weights, rounding.weights());
            // By hand: double precision over both models, which is all but float32's own roundings.
            double[] own = exact(model).y(),
                    rounded = exact(weights.round(model)).y();
            double largest = 0, squares = 0;
            for (int k = 0; k < own.length; k++) {
                largest = Math.max(largest, Math.abs(own[k] - rounded[k]));
                squares += (own[k] - rounded[k]) * (own[k] - rounded[k]);
            }
            double unit = weights == WeightPrecision.F16 ? 0x1p-11 : 0x1p-8;
            assertTrue(largest > unit / 100 && largest < 30 * unit, weights + ": " + largest);
            assertEquals(own.length, rounding.y().elements());
            assertEquals(largest, rounding.y().largest(), 1e-5);
            assertEquals(Math.sqrt(squares / own.length), rounding.y().rootMeanSquare(), 1e-5);
            assertTrue(rounding.h().largest() > 1e-5 && rounding.c().largest() > 1e-5, rounding::toString);
            assertTrue(rounding.h().largest() < 30 * unit && rounding.c().largest() < 60 * unit, rounding::toString);
        }
    }

    private ReferenceOutput exact(LstmModel of) {
        try (ReferenceEngine reference = new ReferenceEngine(of, EngineOptions.DEFAULT)) {
            return reference.newSession().runDouble(input);
        }
    }

    /** It is told, and nothing is held to it: a weight that rounds far away leaves the verdict alone. */
    @Test
    void theCostOfRoundingIsNoCriterion() {
        float[] w = new float[4 * 3];
        w[0] = w[3] = w[6] = w[9] = 1e-9f; // less than half of float16's smallest: it becomes 0
        LstmModel tiny = new LstmModel(
                Direction.FORWARD,
                List.of(List.of(LstmWeights.builder(3, 1)
                        .input(w)
                        .recurrent(new float[4])
                        .build())));
        float[] x = new float[3];
        x[0] = 3e9f;
        LstmInput large = LstmInput.batchMajor(x, 1, 1);
        EngineOptions options = EngineOptions.DEFAULT.withWeights(WeightPrecision.F16);
        VerifyReport report = new Verifier(m -> LstmEngine.open(Device.JAVA, m, options), ALL, WeightPrecision.F16)
                .verify(tiny, large);
        assertTrue(report.passed());
        assertTrue(report.rounding().orElseThrow().y().largest() > 0.5, report::toString);
    }

    @Test
    void nanOnBothSidesIsNoDistance() {
        RoundingReport.Sum sum = new RoundingReport.Sum();
        sum.add(Float.NaN, Double.NaN);
        sum.add(Float.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
        sum.add(1.5f, 1.25);
        sum.add(1, 1);
        assertEquals(new RoundingReport.Distance(4, 0.25, 0.125), sum.result());
        sum.add(1, Double.NaN);
        assertEquals(Double.POSITIVE_INFINITY, sum.result().largest());
    }

    @Test
    void oneFlippedBitIsFoundAndNamed() {
        VerifyReport report = verify(Tier.EXACT, ALL, (in, out) -> {
            int at = in.offset(3, 4, model.outputSize()) + 2;
            out.y().put(at, Float.intBitsToFloat(Float.floatToRawIntBits(out.y().get(at)) ^ 1));
        });
        assertFalse(report.passed());
        assertFalse(report.sameBits());
        assertTrue(report.withinBound(), "a bit is less than the bound");
        assertEquals(1, report.model().y().differing());
        assertEquals(
                List.of(3, 4, 2),
                report.model().y().firstDifference().orElseThrow().index());
        assertEquals(OptionalInt.of(4), report.model().firstDifferingStep());
        for (StepRange range : report.model().steps()) {
            assertEquals(range.first() == 4 ? 1 : 0, range.agreement().differing());
        }
        assertTrue(report.model().h().sameBits());
    }

    @Test
    void aToleranceDeviceMayDifferInBitsButNotBeyondTheBound() {
        BiConsumer<LstmInput, LstmOutput> oneUlp =
                (in, out) -> out.y().put(0, Math.nextUp(out.y().get(0)));
        VerifyReport report = verify(Tier.TOLERANCE, ALL, oneUlp);
        assertFalse(report.bitsRequired());
        assertFalse(report.sameBits());
        assertTrue(report.passed());
        BiConsumer<LstmInput, LstmOutput> large =
                (in, out) -> out.y().put(0, out.y().get(0) + 0.05f);
        assertFalse(verify(Tier.TOLERANCE, ALL, large).passed());
    }

    enum Tensor {
        Y,
        H,
        C
    }

    @ParameterizedTest
    @EnumSource(Tensor.class)
    void anErrorOfAThousandthExceedsTheBound(Tensor tensor) {
        VerifyReport report = verify(Tier.EXACT, ALL, (in, out) -> {
            float[] h = out.finalState().h(), c = out.finalState().c();
            switch (tensor) {
                case Y -> out.y().put(7, out.y().get(7) + 1e-3f);
                case H -> h[h.length - 1] += 1e-3f;
                case C -> c[c.length - 1] -= 1e-3f;
            }
        });
        Agreement found = report.model().tensors().get(tensor.ordinal());
        assertEquals(1, found.violations());
        assertEquals(1, found.differing());
        Agreement.Judgement worst = found.worst().orElseThrow();
        assertEquals(1e-3, worst.error(), 1e-5);
        assertTrue(worst.ratio() > 1 && worst.bound() < 1e-4, worst.toString());
        assertEquals(found.firstDifference().orElseThrow().index(), worst.index());
        assertFalse(report.withinBound());
        assertFalse(report.passed());
    }

    @Test
    void aSwappedGateIsFoundInItsLayer() {
        LstmModel wrong = withSwappedGates(model, 1);
        Verifier verifier = new Verifier(
                m -> LstmEngine.open(
                        Device.JAVA,
                        // The whole model and the second layer are wrong on this device.
                        m.layerCount() == 2 ? wrong : m.inputSize() == 3 ? m : wrong.only(1)),
                ALL);
        VerifyReport report = verifier.verify(model, input);
        assertFalse(report.passed());
        assertTrue(report.model().violations() > 0);
        assertEquals(0, report.layers().get(0).differing());
        assertEquals(0, report.layers().get(0).violations());
        assertTrue(report.layers().get(1).differing() > 0);
        assertTrue(report.layers().get(1).violations() > 0);
        assertEquals(OptionalInt.of(0), report.layers().get(1).firstDifferingStep());
    }

    private static LstmModel withSwappedGates(LstmModel model, int layer) {
        List<LstmLayer> layers = new ArrayList<>(model.layers());
        layers.set(
                layer,
                new LstmLayer(
                        model.last().direction(),
                        model.layer(layer).weights().stream()
                                .map(w -> w.toBuilder()
                                        .input(swap(w.input()))
                                        .recurrent(swap(w.recurrent()))
                                        .inputBias(swap(w.inputBias().orElseThrow()))
                                        .recurrentBias(swap(w.recurrentBias().orElseThrow()))
                                        .build())
                                .toList()));
        return new LstmModel(layers);
    }

    /** ONNX's order of the gates after the first: o before f. */
    private static float[] swap(float[] gates) {
        float[] swapped = gates.clone();
        int size = gates.length / LstmWeights.GATES;
        System.arraycopy(gates, LstmWeights.FORGET_GATE * size, swapped, LstmWeights.OUTPUT_GATE * size, size);
        System.arraycopy(gates, LstmWeights.OUTPUT_GATE * size, swapped, LstmWeights.FORGET_GATE * size, size);
        return swapped;
    }

    @Test
    void bitsAreComparedInAllRowsErrorsInSome() {
        BiConsumer<LstmInput, LstmOutput> fault = (in, out) -> out.y().put(in.offset(1, 0, model.outputSize()), 0.5f);
        VerifyReport report = verify(Tier.EXACT, 2, fault);
        assertEquals(2, report.judgedRows());
        assertEquals(1, report.model().y().differing());
        assertTrue(report.withinBound());
        assertEquals(1, verify(Tier.EXACT, ALL, fault).model().y().violations());
        assertArrayEquals(new int[] {0, 4}, Verifier.spread(5, 2));
        assertArrayEquals(new int[] {0}, Verifier.spread(5, 1));
        assertArrayEquals(new int[] {0, 1, 2}, Verifier.spread(3, 9));
    }

    @Test
    void aValueThatIsNeverWrittenDiffers() {
        // Output memory comes filled with a value that no LSTM gives: a device that does nothing leaves it.
        VerifyReport report = new Verifier(IdleEngine::new, ALL).verify(model, input);
        assertEquals(report.model().y().elements(), report.model().y().differing());
        assertEquals(report.model().c().elements(), report.model().c().differing());
        assertFalse(report.withinBound());
    }

    /** A device that does nothing. */
    private record IdleEngine(LstmModel model) implements LstmEngine, LstmSession {
        @Override
        public void run(LstmInput input, LstmOutput output) {}

        @Override
        public LstmEngine engine() {
            return this;
        }

        @Override
        public Device device() {
            return Device.OPENCL;
        }

        @Override
        public Tier tier() {
            return Tier.EXACT;
        }

        @Override
        public String explain(int rows, int steps) {
            return "idle";
        }

        @Override
        public LstmSession newSession() {
            return this;
        }

        @Override
        public void close() {}
    }

    @Test
    void notANumberInTheDataIsNoFault() {
        for (float special : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 3e38f, 1e-45f}) {
            LstmInput odd = RandomInput.full(model, Layout.BATCH_MAJOR, 5, 6, 9);
            odd.x().put(odd.offset(2, 3, 3) + 1, special);
            VerifyReport report = new Verifier(m -> LstmEngine.open(Device.JAVA, m), ALL).verify(model, odd);
            assertTrue(report.passed(), special + ": " + report);
            // The other rows are judged as ever, and within bounds as ever.
            assertTrue(report.model().y().judged() >= 4L * 6 * model.outputSize());
        }
    }

    @Test
    void allNaNsAreOneAndANumberInTheirPlaceIsAFault() {
        LstmInput odd = RandomInput.full(model, Layout.BATCH_MAJOR, 5, 6, 9);
        odd.x().put(0, Float.NaN);
        BiConsumer<LstmInput, LstmOutput> otherPayload = (in, out) -> {
            for (int k = 0; k < out.y().limit(); k++) {
                if (Float.isNaN(out.y().get(k))) {
                    out.y().put(k, Float.intBitsToFloat(0xffc12345));
                }
            }
        };
        assertTrue(tampered(Tier.EXACT, ALL, otherPayload).verify(model, odd).passed());
        BiConsumer<LstmInput, LstmOutput> number = (in, out) -> {
            for (int k = 0; k < out.y().limit(); k++) {
                if (Float.isNaN(out.y().get(k))) {
                    out.y().put(k, 0);
                }
            }
        };
        VerifyReport report = tampered(Tier.TOLERANCE, ALL, number).verify(model, odd);
        assertFalse(report.withinBound());
        assertEquals(
                Double.POSITIVE_INFINITY,
                report.model().y().worst().orElseThrow().error());
    }

    @Test
    void theStepsOfLongSequencesAreTakenTogether() {
        LstmModel small = RandomLstm.model(new Random(4), 1, 1, 2, false, true);
        LstmInput many = RandomInput.ragged(small, Layout.TIME_MAJOR, 3, 1000, 2);
        VerifyReport report = new Verifier(m -> LstmEngine.open(Device.JAVA, m), 2).verify(small, many);
        List<StepRange> steps = report.model().steps();
        assertTrue(steps.size() <= 24, "" + steps.size());
        assertEquals(0, steps.get(0).first());
        assertEquals(999, steps.get(steps.size() - 1).last());
        assertEquals(
                report.model().y().elements(),
                steps.stream().mapToLong(range -> range.agreement().elements()).sum());
        assertTrue(report.passed(), report.toString());
    }

    @Test
    void randomInputIsTheSameForTheSameSeed() {
        LstmInput again = RandomInput.full(model, Layout.BATCH_MAJOR, 5, 6, 9);
        assertEquals(input.x(), again.x());
        LstmInput ragged = RandomInput.ragged(model, Layout.BATCH_MAJOR, 5, 6, 9);
        assertEquals(0, ragged.lengths()[0]);
        assertEquals(6, ragged.lengths()[4]);
        assertEquals(Optional.empty(), input.initialState());
        assertTrue(ragged.initialState().isPresent());
    }

    @Test
    void refusesWhatCannotBeVerified() {
        assertThrows(InvalidInputException.class, () -> new Verifier(m -> null, 0));
        LstmInput misfit = LstmInput.batchMajor(new float[5], 1, 1);
        assertThrows(
                InvalidInputException.class,
                () -> tampered(Tier.EXACT, 1, (in, out) -> {}).verify(model, misfit));
    }

    private VerifyReport verify(Tier tier, int rows, BiConsumer<LstmInput, LstmOutput> fault) {
        return tampered(tier, rows, fault).verify(model, input);
    }

    /** A device whose whole model has the fault, and whose single layers are right. */
    private static Verifier tampered(Tier tier, int rows, BiConsumer<LstmInput, LstmOutput> fault) {
        return new Verifier(m -> new TamperedEngine(m, tier, m.layerCount() == 2 ? fault : (in, out) -> {}), rows);
    }
}
