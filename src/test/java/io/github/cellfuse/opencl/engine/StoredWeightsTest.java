package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
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
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Tile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Weights stored in 16 bits: whatever the plan, the tile and the device, the bits are the twin's over the rounded
 * weights.
 */
class StoredWeightsTest {
    private static final List<WeightPrecision> SMALL = List.of(WeightPrecision.F16, WeightPrecision.BF16);

    static Stream<Arguments> cases() {
        long first = TestEngines.seed(500);
        return SMALL.stream()
                .flatMap(weights -> Extent.seeds(first, 4, 12).mapToObj(seed -> Arguments.of(weights, seed)));
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("cases")
    void everyPlanOnEveryDeviceGivesTheTwinsBits(WeightPrecision weights, long seed) {
        RandomLstm random = RandomLstm.of(seed);
        EngineOptions options = EngineOptions.DEFAULT.withWeights(weights);
        LstmOutput expected = run(Device.JAVA, options, random);
        RandomLstm rounded = new RandomLstm(seed, weights.round(random.model()), random.input());
        Bits.assertSame(
                random + ": java over the rounded model", expected, run(Device.JAVA, EngineOptions.DEFAULT, rounded));
        for (ClDevice device : TestDevices.list()) {
            for (Plan plan : Plan.values()) {
                Bits.assertSame(
                        random + " on " + device + ", " + plan + ", " + weights,
                        expected,
                        run(OpenClDevices.nameOf(device), options.withPlan(plan), random));
            }
        }
    }

    /** Denormals of float16 and of float32, infinities and NaN among the weights. */
    @ParameterizedTest
    @EnumSource(
            value = WeightPrecision.class,
            names = {"F16", "BF16"})
    void extremeWeightsGoThrough(WeightPrecision weights) {
        long seed = TestEngines.seed(33);
        Random random = new Random(seed);
        LstmModel model = RandomLstm.model(random, 2, 5, 19, true, true);
        float[] extremes = {0x1p-24f, -0x1.8p-24f, 0x1.ff8p-15f, 0x1p-140f, -0.0f, 65504f, Float.MIN_VALUE};
        for (int layer = 0; layer < 2; layer++) {
            LstmWeights w = model.weights(layer, 0);
            for (float[] tensor :
                    List.of(w.input(), w.recurrent(), w.projection().orElseThrow())) {
                for (int k = 0; k < tensor.length; k += 3) {
                    tensor[k] = extremes[random.nextInt(extremes.length)];
                }
            }
        }
        // They make whole units NaN, and through the layer above everything: so there they stand in the upper one.
        model.weights(1, 0).projection().orElseThrow()[1] = Float.NaN;
        model.weights(1, 0).projection().orElseThrow()[20] = Float.POSITIVE_INFINITY;
        RandomLstm extreme = new RandomLstm(seed, model, RandomLstm.input(random, model, 9, 4));
        EngineOptions options = EngineOptions.DEFAULT.withWeights(weights);
        LstmOutput expected = run(Device.JAVA, options, extreme);
        for (Plan plan : Plan.values()) {
            Bits.assertSame(
                    weights + ", " + plan,
                    expected,
                    run(OpenClDevices.nameOf(TestDevices.first()), options.withPlan(plan), extreme));
        }
    }

    private static final int[] VECS = {1, 2, 4, 8, 16};

    static Stream<Arguments> vectors() {
        return SMALL.stream().flatMap(weights -> Arrays.stream(VECS).mapToObj(vec -> Arguments.of(weights, vec)));
    }

    /** Every number of 16 bits becomes the float that Java says, in vectors of every width. */
    @ParameterizedTest
    @MethodSource("vectors")
    void everyStoredWeightIsLoadedExactly(WeightPrecision weights, int vec) {
        int count = 1 << 16;
        ByteBuffer stored = ByteBuffer.allocateDirect(2 * count).order(ByteOrder.nativeOrder());
        for (int bits = 0; bits < count; bits++) {
            stored.putShort(2 * bits, (short) bits);
        }
        for (ClDevice device : TestDevices.list()) {
            float[] loaded = new float[count];
            try (ClContext context = device.open();
                    ClQueue queue = context.queue()) {
                Kernel kernel = new Programs(context, weights)
                        .kernel(KernelSource.LOAD_WEIGHTS, Tile.of(vec, 1), "lstm_load_weights");
                ClBuffer from = context.buffer("stored", 2L * count, ClBuffer.Access.READ_ONLY);
                ClBuffer to = context.buffer("loaded", 4L * count, ClBuffer.Access.WRITE_ONLY);
                queue.write(from, 0, stored);
                kernel.set("stored", from).set("loaded", to);
                queue.launch(kernel.ready(), NdRange.of(count / vec));
                new Transfers(queue).read(to, 0, count, view -> view.get(0, loaded));
            }
            for (int bits = 0; bits < count; bits++) {
                float expected = weights.fromBits(bits);
                if (!Bits.same(expected, loaded[bits])) {
                    assertEquals(expected, loaded[bits], device + ": " + weights + " " + Integer.toHexString(bits));
                }
            }
        }
    }

    /** Each precision in vectors of each width, and under each plan. Each width under each plan is TileTest's. */
    static Stream<Arguments> tiles() {
        List<Arguments> pairs = new ArrayList<>();
        for (WeightPrecision weights : SMALL) {
            for (int v = 0; v < VECS.length; v++) {
                pairs.add(Arguments.of(weights, VECS[v], plan(v + 2 * weights.ordinal())));
            }
        }
        return Extent.of(
                pairs.stream(),
                () -> vectors()
                        .flatMap(pair -> Stream.of(Plan.values())
                                .map(plan -> Arguments.of(pair.get()[0], pair.get()[1], plan))));
    }

    private static Plan plan(int number) {
        return Plan.values()[number % Plan.values().length];
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("tiles")
    void tilesOfEveryWidthGiveTheTwinsBits(WeightPrecision weights, int vec, Plan plan) {
        RandomLstm random = RandomLstm.of(TestEngines.seed(70) + plan.ordinal());
        Tile tile = Tile.of(vec, 2).withPrefetch(plan.ordinal());
        PlanChoice choice = new PlanChoice(
                plan,
                tile.withHoisted(plan == Plan.HOISTED).withFused(plan != Plan.SEPARATE),
                Tile.of(vec, 2),
                SequenceGroups.EACH_TILE,
                "this one");
        try (ClContext context = TestDevices.first().open();
                LstmEngine engine = new OpenClEngine(
                        context, new Programs(context, weights), random.model(), always(choice), Tier.EXACT);
                LstmSession session = engine.newSession()) {
            Bits.assertSame(
                    random + ", " + weights + " in " + choice,
                    run(Device.JAVA, EngineOptions.DEFAULT.withWeights(weights), random),
                    session.run(random.input()));
        }
    }

    private static Plans always(PlanChoice choice) {
        return new Plans() {
            @Override
            public int vec() {
                return choice.step().vec();
            }

            @Override
            public PlanChoice choose(int rows, int steps, boolean cooperative) {
                return choice;
            }
        };
    }

    @Test
    void theyTakeHalfTheMemoryOfTheDevice() {
        LstmModel model = RandomLstm.model(new Random(2), 1, 16, 32, true, true);
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            DeviceWeights floats =
                    DeviceWeights.upload(context, queue, model.layer(0).weights(), 4, WeightPrecision.F32);
            for (WeightPrecision weights : SMALL) {
                DeviceWeights small = DeviceWeights.upload(
                        context, queue, weights.round(model).layer(0).weights(), 4, weights);
                assertEquals(floats.gates().bytes(), 2 * small.gates().bytes());
                assertEquals(floats.projection().bytes(), 2 * small.projection().bytes());
                assertEquals(floats.bias().bytes(), small.bias().bytes());
            }
        }
    }

    /**
     * What is read in every step counts, so half of it can make another plan the cheapest, and fits a cache that all of
     * it doesn't.
     */
    @Test
    void plansAreChosenForTheBytesThatAreStored() {
        LayerSize floats = new LayerSize(256, 256, 256, 1),
                halves = new LayerSize(256, 256, 256, 1, WeightPrecision.F16);
        assertEquals(floats.weightBytes(false), 2 * halves.weightBytes(false));
        Capabilities device = Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 2, 16);
        PlanChoice wide = Choosers.typical(device, floats).choose(64, 32, Optional.of(Plan.FUSED), false);
        PlanChoice narrow = Choosers.typical(device, halves).choose(64, 32, Optional.of(Plan.FUSED), false);
        assertFalse(wide.step().prefetch() == 0, "2 MiB don't stay in a core's cache: " + wide);
        assertEquals(0, narrow.step().prefetch(), "1 MiB does: " + narrow);
    }

    private static LstmOutput run(Device device, EngineOptions options, RandomLstm random) {
        try (LstmEngine engine = LstmEngine.open(device, random.model(), options);
                LstmSession session = engine.newSession()) {
            assertEquals(Tier.EXACT, engine.tier());
            return session.run(random.input());
        }
    }
}
