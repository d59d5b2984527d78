package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.Bits;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.implementations.EveryImplementation;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the engine promises on any device. Every device has the twin's bits as long as no denormal number occurs, also
 * one that lacks a multiply-add of its own and is in the tolerance tier for it; where denormals do occur, only one that
 * promises to keep them.
 */
@EveryImplementation
class ConformanceTest {
    private static final int CASES = 6;

    /** Values through the activations. */
    private static final int VALUES = 1 << 14;

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theTierIsThatOfWhatTheDevicePromises(ClDevice device) {
        boolean promises = OpenClDevices.missingForExact(device.capabilities()).isEmpty();
        try (LstmEngine engine = LstmEngine.open(OpenClDevices.nameOf(device), small(0).model())) {
            assertEquals(promises ? Tier.EXACT : Tier.TOLERANCE, engine.tier());
        }
    }

    /** Every plan and every precision of the weights. Their pairs are StoredWeightsTest's. */
    static Stream<Arguments> plans() {
        return Extent.of(
                Stream.of(
                        Arguments.of(Plan.FUSED, WeightPrecision.F32),
                        Arguments.of(Plan.HOISTED, WeightPrecision.F16),
                        Arguments.of(Plan.SEPARATE, WeightPrecision.BF16),
                        Arguments.of(Plan.SEQUENCE, WeightPrecision.F32)),
                () -> Stream.of(Plan.values())
                        .flatMap(plan ->
                                Stream.of(WeightPrecision.values()).map(precision -> Arguments.of(plan, precision))));
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("plans")
    void everyPlanAndPrecisionGivesTheTwinsBits(Plan plan, WeightPrecision precision) {
        EngineOptions options = EngineOptions.DEFAULT.withPlan(plan).withWeights(precision);
        for (ClDevice device : TestDevices.list()) {
            for (long seed = TestEngines.seed(2000), end = seed + CASES; seed < end; seed++) {
                RandomLstm random = small(seed);
                if (plan == Plan.SEQUENCE && endsLongLoops(device)) {
                    InvalidInputException e =
                            assertThrows(InvalidInputException.class, () -> run(device, random, options));
                    assertTrue(e.getMessage().contains("ends a work-item's loops after 65535 rounds"), e.getMessage());
                } else {
                    Bits.assertSame(
                            random + " on " + device + ", " + plan + ", " + precision,
                            twin(random, options),
                            run(device, random, options));
                }
            }
        }
    }

    /**
     * Layers of two sizes with peepholes, a clip, other functions and, in the second direction, others than in the
     * first.
     */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void otherCellsGiveTheTwinsBits(ClDevice device) {
        Random random = new Random(TestEngines.seed(2400));
        CellEquations clipped = new CellEquations(
                Activation.of(ActivationFunction.HARD_SIGMOID),
                Activation.of(ActivationFunction.SOFTSIGN),
                Activation.of(ActivationFunction.ELU),
                0.75f,
                false);
        CellEquations coupled = new CellEquations(
                Activation.of(ActivationFunction.SOFTPLUS),
                Activation.of(ActivationFunction.LEAKY_RELU),
                Activation.TANH,
                CellEquations.NO_CLIP,
                true);
        LstmModel lower = RandomLstm.model(random, Direction.BIDIRECTIONAL, 1, 3, 5, false, true);
        LstmModel upper = RandomLstm.model(random, Direction.FORWARD, 1, 10, 6, false, true);
        LstmModel model = new LstmModel(List.of(
                new LstmLayer(
                        Direction.BIDIRECTIONAL,
                        List.of(
                                other(random, lower.weights(0, 0), clipped),
                                other(random, lower.weights(0, 1), coupled))),
                upper.layer(0)));
        RandomLstm batch = new RandomLstm(2400, model, RandomLstm.input(random, model, 7, 4));
        Bits.assertSame(
                device.toString(), twin(batch, EngineOptions.DEFAULT), run(device, batch, EngineOptions.DEFAULT));
    }

    private static LstmWeights other(Random random, LstmWeights weights, CellEquations equations) {
        return weights.withEquations(equations)
                .withPeepholes(RandomLstm.values(random, LstmWeights.PEEPHOLES * weights.hiddenSize(), 1));
    }

    /** Three streams, of which two have a piece in each call. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void streamsGiveTheTwinsBits(ClDevice device) {
        Random random = new Random(TestEngines.seed(2500));
        LstmModel model = RandomLstm.model(random, Direction.FORWARD, 2, 3, 5, false, true);
        try (LstmEngine engine = LstmEngine.open(OpenClDevices.nameOf(device), model);
                LstmEngine twin = LstmEngine.open(Device.JAVA, model);
                LstmStreams found = engine.newSession().newStreams();
                LstmStreams expected = twin.newSession().newStreams()) {
            for (int k = 0; k < 3; k++) {
                assertEquals(expected.add(), found.add());
            }
            for (int call = 0; call < 4; call++) {
                int[] chosen = {(call + 2) % 3, call % 3};
                LstmInput piece = LstmInput.batchMajor(RandomLstm.values(random, 12, 2), 2, 2);
                Bits.assertSame(device + ", call " + call, expected.run(piece, chosen), found.run(piece, chosen));
            }
            Bits.assertSame(
                    device + ": c",
                    expected.gather(2, 0, 1).c(),
                    found.gather(2, 0, 1).c());
        }
    }

    /** Infinities, NaN, zeros of both signs and numbers near the largest, in the input and in the states. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void valuesWithoutAMeasureGiveTheTwinsBits(ClDevice device) {
        float[] special = {
            Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 0.0f, -0.0f, Float.MAX_VALUE, -Float.MAX_VALUE
        };
        Random random = new Random(TestEngines.seed(2200));
        LstmModel model = RandomLstm.model(random, 1, 3, 9, true, true);
        // A row for each, so that a NaN of one doesn't hide what becomes of the others.
        float[] x = new float[special.length * 4 * 3];
        for (int k = 0; k < x.length; k++) {
            x[k] = k % 12 == 7 ? special[k / 12] : (random.nextFloat() - 0.5f) * 6;
        }
        RandomLstm batch = new RandomLstm(2200, model, LstmInput.batchMajor(x, special.length, 4));
        Bits.assertSame(
                device.toString(), twin(batch, EngineOptions.DEFAULT), run(device, batch, EngineOptions.DEFAULT));
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void denormalsAreKeptWhereThatIsPromisedAndElsewhereErrorsStayWithinTheirBound(ClDevice device) {
        Random random = new Random(TestEngines.seed(2300));
        LstmModel model = RandomLstm.model(random, 1, 3, 9, true, false);
        float[] x = new float[5 * 4 * 3];
        for (int k = 0; k < x.length; k++) {
            x[k] = Float.intBitsToFloat(random.nextInt() & 0x807FFFFF);
        }
        RandomLstm batch = new RandomLstm(2300, model, LstmInput.batchMajor(x, 5, 4));
        LstmOutput expected = twin(batch, EngineOptions.DEFAULT);
        if (device.capabilities().singlePrecision().denorm()) {
            Bits.assertSame(device.toString(), expected, run(device, batch, EngineOptions.DEFAULT));
        }
        VerifyReport report =
                new Verifier(m -> LstmEngine.open(OpenClDevices.nameOf(device), m), 5).verify(model, batch.input());
        assertTrue(report.withinBound(), device::toString);
        assertTrue(hasDenormals(expected), "the case must have denormals in its output");
    }

    private static boolean hasDenormals(LstmOutput output) {
        for (int k = 0; k < output.y().limit(); k++) {
            if (isDenormal(output.y().get(k))) {
                return true;
            }
        }
        return false;
    }

    /** Sigmoid and tanh of floats of every size, infinities and NaN among them. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void activationsGiveTheTwinsBits(ClDevice device) {
        float[] x = new float[VALUES], sigmoid = new float[VALUES], tanh = new float[VALUES];
        for (int k = 0; k < VALUES; k++) {
            // A prime's multiples visit all exponents; most of the others are where the functions aren't saturated.
            x[k] = k % 4 == 0 ? Float.intBitsToFloat(k * 262139) : (k - VALUES / 2) * (110f / VALUES);
        }
        Tile tile = DeviceTraits.of(device.capabilities()).largestTile();
        try (ClContext context = device.open();
                ClQueue queue = context.queue();
                ClBuffer in = context.buffer("x", 4L * VALUES, ClBuffer.Access.READ_ONLY);
                ClBuffer s = context.buffer("sigmoid", 4L * VALUES, ClBuffer.Access.WRITE_ONLY);
                ClBuffer t = context.buffer("tanh", 4L * VALUES, ClBuffer.Access.WRITE_ONLY)) {
            Kernel kernel = new Programs(context).kernel(KernelSource.STATE, tile, "lstm_activations");
            Transfers transfers = new Transfers(queue);
            transfers.write(in, 0, x);
            queue.launch(kernel.set("x", in).set("s", s).set("t", t).ready(), NdRange.of(VALUES / tile.vec()));
            transfers.read(s, 0, sigmoid);
            transfers.read(t, 0, tanh);
        }
        boolean keepsDenormals = device.capabilities().singlePrecision().denorm();
        int compared = 0;
        for (int k = 0; k < VALUES; k++) {
            float expectedSigmoid = Activations.sigmoid(x[k]), expectedTanh = Activations.tanh(x[k]);
            if (keepsDenormals || !isTiny(x[k]) && !isTiny(expectedSigmoid)) {
                String what = Float.toHexString(x[k]) + " on " + device + ": expected " + expectedSigmoid + " and "
                        + expectedTanh + ", found " + sigmoid[k] + " and " + tanh[k];
                assertTrue(Bits.same(expectedSigmoid, sigmoid[k]), () -> "sigmoid of " + what);
                assertTrue(Bits.same(expectedTanh, tanh[k]), () -> "tanh of " + what);
                compared++;
            }
        }
        assertTrue(compared > VALUES / 2, "most values have no denormals");
    }

    /**
     * So small that the residuals of its quotients are denormal; a zero that comes of a denormal loses its sign with
     * it.
     */
    private static boolean isTiny(float value) {
        return Math.abs(value) < 0x1p-100f;
    }

    private static boolean isDenormal(float value) {
        return value != 0 && Math.abs(value) < Float.MIN_NORMAL;
    }

    /**
     * Sizes below, at and above those of a tile of 4 x 4; in every third case rows enough for the tiles in local
     * memory.
     */
    private static RandomLstm small(long seed) {
        Random random = new Random(seed);
        int rows = seed % 3 == 1 ? 16 + random.nextInt(8) : 1 + random.nextInt(9);
        LstmModel model = RandomLstm.model(
                random, 1 + random.nextInt(2), 1 + random.nextInt(6), 1 + random.nextInt(10), seed % 3 == 0, true);
        return new RandomLstm(seed, model, RandomLstm.input(random, model, rows, 1 + random.nextInt(5)));
    }

    private static LstmOutput twin(RandomLstm random, EngineOptions options) {
        return run(Device.JAVA, random, options.withThreads(1));
    }

    private static LstmOutput run(ClDevice device, RandomLstm random, EngineOptions options) {
        return run(OpenClDevices.nameOf(device), random, options);
    }

    private static LstmOutput run(Device device, RandomLstm random, EngineOptions options) {
        try (LstmEngine engine = LstmEngine.open(device, random.model(), options);
                LstmSession session = engine.newSession()) {
            return session.run(random.input());
        }
    }

    private static boolean endsLongLoops(ClDevice device) {
        Capabilities has = device.capabilities();
        return has.type() == Capabilities.Type.CPU && has.name().startsWith("llvmpipe");
    }
}
