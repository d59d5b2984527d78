package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.implementations.EveryImplementation;
import io.github.cellfuse.jvm.Activations;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.LayerTrace;
import io.github.cellfuse.spi.TracedSession;
import io.github.cellfuse.spi.TracingEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Traced runs give the bits of other runs, and every device's cells show those of java's. */
class TracedSessionTest {
    private record Run(LstmOutput output, List<LayerTrace> layers) {}

    private static Run traced(LstmEngine engine, LstmInput input) {
        LstmModel model = engine.model();
        LstmOutput output = LstmOutput.allocate(model, input);
        List<LayerTrace> layers = new ArrayList<>();
        for (int layer = 0; layer < model.layerCount(); layer++) {
            layers.add(new LayerTrace(model, layer, input));
        }
        try (TracedSession session = ((TracingEngine) engine).newTracedSession()) {
            session.run(input, output, trace -> layers.forEach(layer -> layer.onSteps(trace)));
        }
        return new Run(output, layers);
    }

    private static Run java(RandomLstm random) {
        try (LstmEngine engine = LstmEngine.open(Device.JAVA, random.model())) {
            return traced(engine, random.input());
        }
    }

    private static void assertLikeJava(String what, LstmEngine engine, RandomLstm random) {
        Run found = traced(engine, random.input()), expected = java(random);
        try (LstmSession session = engine.newSession()) {
            Bits.assertSame(what, session.run(random.input()), found.output);
        }
        for (int layer = 0; layer < expected.layers.size(); layer++) {
            for (CellValue quantity : CellValue.values()) {
                Bits.assertSame(
                        what + ", layer " + layer + ", " + quantity,
                        expected.layers.get(layer).of(quantity),
                        found.layers.get(layer).of(quantity));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Plan.class)
    void everyPlanShowsJavasCells(Plan plan) {
        for (long seed = TestEngines.seed(0), end = seed + Extent.cases(3, 30); seed < end; seed++) {
            RandomLstm random = RandomLstm.any(seed);
            for (Device device : TestEngines.exact()) {
                EngineOptions options = device instanceof Device.OpenCl
                        ? EngineOptions.DEFAULT.withPlan(plan)
                        : EngineOptions.DEFAULT.withThreads(1);
                try (LstmEngine engine = LstmEngine.open(device, random.model(), options)) {
                    assertLikeJava(random + " on " + device + ", " + plan, engine, random);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Plan.class)
    void tilesInLocalMemoryShowJavasCells(Plan plan) {
        Capabilities gpu = Described.gpu(2, 64 << 10, 256);
        for (long seed = TestEngines.seed(40), end = seed + 3; seed < end; seed++) {
            Random random = new Random(seed);
            LstmModel model = RandomLstm.model(random, Direction.BIDIRECTIONAL, 2, 5, 21, seed % 3 == 0, true);
            RandomLstm batch = new RandomLstm(seed, model, RandomLstm.input(random, model, 37, 6));
            ClContext context = TestDevices.first().open();
            StagedPlans plans = new StagedPlans(Choosers.typical(gpu, LayerSize.of(model), 64), Optional.of(plan));
            assertEquals(
                    seed % 3 != 0 || plan != Plan.SEQUENCE,
                    plans.choose(37, 6, true).step().isStaged());
            try (LstmEngine engine = new OpenClEngine(context, new Programs(context), model, plans, Tier.EXACT)) {
                assertLikeJava(batch + ", staged, " + plan, engine, batch);
            }
        }
    }

    /** A device that can't keep denormals still shows the cells of ordinary values. */
    @ParameterizedTest
    @EnumSource(Plan.class)
    @EveryImplementation
    void everyImplementationShowsJavasCells(Plan plan) {
        for (ClDevice device : TestDevices.list()) {
            for (long seed = TestEngines.seed(71), end = seed + 2; seed < end; seed++) {
                Random random = new Random(seed);
                LstmModel model = RandomLstm.model(random, Direction.BIDIRECTIONAL, 1, 3, 6, seed % 3 == 0, true);
                RandomLstm batch = new RandomLstm(seed, model, RandomLstm.input(random, model, 5, 3));
                EngineOptions options = EngineOptions.DEFAULT.withPlan(plan);
                try (LstmEngine engine = LstmEngine.open(OpenClDevices.nameOf(device), model, options)) {
                    assertLikeJava(batch + " on " + device + ", " + plan, engine, batch);
                } catch (InvalidInputException e) {
                    assertTrue(e.getMessage().contains("ends a work-item's loops after 65535 rounds"), e::getMessage);
                    assertEquals(Plan.SEQUENCE, plan);
                }
            }
        }
    }

    /** Work-groups that keep the weights of their units, which no CPU is given of its own accord. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void groupsThatKeepTheirWeightsShowJavasCells(boolean wait) {
        Tile tile = Tile.staged(2, Staging.persistent(wait ? 4 : 8, 8, 32, 64)).withHoisted(true);
        SequenceGroups groups = wait ? new SequenceGroups(1, 2) : SequenceGroups.EACH_TILE;
        // With groups that wait, all run at the same time on two threads.
        showJavasCells(tile, groups, wait ? Direction.REVERSE : Direction.BIDIRECTIONAL, 7);
    }

    /** Work-items that keep the weights of one or two gates in registers: all of them, or some. */
    @Test
    void weightsInRegistersShowJavasCells() {
        Tile all = Tile.staged(2, Staging.inRegisters(1, 2, 8, 8)).withHoisted(true);
        showJavasCells(all, SequenceGroups.EACH_TILE, Direction.BIDIRECTIONAL, 7);
        Tile some = Tile.staged(1, Staging.inRegisters(2, 1, 16, 8)).withHoisted(true);
        showJavasCells(some, SequenceGroups.EACH_TILE, Direction.REVERSE, 13);
    }

    private static void showJavasCells(Tile tile, SequenceGroups groups, Direction direction, int units) {
        try (ClContext context = TestDevices.first().open()) {
            Programs programs = new Programs(context);
            for (long seed = TestEngines.seed(74), end = seed + 3; seed < end; seed++) {
                Random random = new Random(seed);
                LstmModel model = RandomLstm.model(random, direction, 1, 3, units, false, true);
                RandomLstm batch = new RandomLstm(seed, model, RandomLstm.input(random, model, 13, 9));
                OpenClEngine engine = new OpenClEngine(
                        context, programs, model, TileTest.forced(Plan.SEQUENCE, tile, groups), Tier.EXACT);
                assertLikeJava(batch + " in tiles of " + tile, engine, batch);
                assertEquals(groups, engine.choose(1, 1).groups(), "nobody gave up waiting");
                engine.closeMemory();
            }
        }
    }

    /** The trace has memory for some steps at a time, and the hoisted products for others. */
    @ParameterizedTest
    @EnumSource(Plan.class)
    void longSequencesArriveInPieces(Plan plan) {
        Random random = new Random(TestEngines.seed(81));
        LstmModel model = RandomLstm.model(random, Direction.BIDIRECTIONAL, 1, 2, 130, false, true);
        LstmInput input = RandomLstm.input(random, model, 130, 70)
                .withLengths(random.ints(130, 0, 69).toArray());
        RandomLstm batch = new RandomLstm(81, model, input);
        List<Integer> pieces = new ArrayList<>();
        EngineOptions options = EngineOptions.DEFAULT.withPlan(plan);
        try (LstmEngine engine = LstmEngine.open(OpenClDevices.nameOf(TestDevices.first()), model, options);
                TracedSession session = ((TracingEngine) engine).newTracedSession()) {
            session.run(input, LstmOutput.allocate(model, input), trace -> {
                if (trace.direction() == 1) {
                    pieces.add(trace.firstStep());
                }
            });
            assertTrue(pieces.size() > 1, pieces::toString);
            assertLikeJava(batch + ", " + plan, engine, batch);
        }
        assertEquals(0, pieces.get(pieces.size() - 1), "a reverse direction ends at the first step");
    }

    /** The equations, written down once more: java's cells are those of the contract. */
    @Test
    void javasCellsAreTheContracts() {
        Random random = new Random(TestEngines.seed(90));
        LstmModel model = RandomLstm.model(random, Direction.FORWARD, 1, 3, 20, false, true);
        float[] x = RandomLstm.values(random, 2 * 4 * 3, 2);
        LstmInput input = LstmInput.of(Layout.BATCH_MAJOR, java.nio.FloatBuffer.wrap(x), 2, 4);
        LayerTrace trace = java(new RandomLstm(90, model, input)).layers.get(0);
        LstmWeights weights = model.weights(0, 0);
        int units = 20;
        for (int row = 0; row < 2; row++) {
            float[] h = new float[units], c = new float[units];
            for (int step = 0; step < 4; step++) {
                float[] nextH = new float[units];
                for (int u = 0; u < units; u++) {
                    float[] a = new float[4];
                    for (int q = 0; q < 4; q++) {
                        a[q] = weights.bias()[q * units + u];
                        for (int k = 0; k < 3; k++) {
                            a[q] = Math.fma(
                                    x[(row * 4 + step) * 3 + k], weights.input()[(q * units + u) * 3 + k], a[q]);
                        }
                        for (int k = 0; k < units; k++) {
                            a[q] = Math.fma(h[k], weights.recurrent()[(q * units + u) * units + k], a[q]);
                        }
                    }
                    float i = Activations.sigmoid(a[0]), f = Activations.sigmoid(a[1]), g = Activations.tanh(a[2]);
                    float o = Activations.sigmoid(a[3]);
                    c[u] = Math.fma(f, c[u], i * g);
                    nextH[u] = o * Activations.tanh(c[u]);
                    float[] expected = {a[0], a[1], a[2], a[3], i, f, g, c[u], o, nextH[u], nextH[u]};
                    for (CellValue quantity : CellValue.values()) {
                        assertEquals(
                                expected[quantity.ordinal()],
                                trace.of(quantity)[(step * 2 + row) * units + u],
                                quantity + " of row " + row + ", step " + step + ", unit " + u);
                    }
                }
                h = nextH;
            }
        }
    }

    @Test
    void everythingIsReleasedAndClosedSessionsAreRefused() {
        RandomLstm random = RandomLstm.of(5);
        long before = OpenCl.liveObjects();
        for (Device device : TestEngines.exact()) {
            LstmEngine engine = LstmEngine.open(device, random.model());
            TracedSession session = ((TracingEngine) engine).newTracedSession();
            LstmOutput output = LstmOutput.allocate(random.model(), random.input());
            session.run(random.input(), output, trace -> {});
            session.close();
            session.close();
            assertThrows(IllegalStateException.class, () -> session.run(random.input(), output, trace -> {}));
            engine.close();
            assertThrows(IllegalStateException.class, ((TracingEngine) engine)::newTracedSession);
        }
        assertEquals(before, OpenCl.liveObjects());
    }
}
