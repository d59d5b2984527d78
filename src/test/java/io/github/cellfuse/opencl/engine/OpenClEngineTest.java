package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineContract;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.Extent;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.device.OpenClDevices;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.Described;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.PlanChooser;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.spi.RowOrder;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract on the first OpenCL device, and the plans on every one. */
class OpenClEngineTest extends EngineContract {
    @Override
    protected Device device() {
        return OpenClDevices.nameOf(TestDevices.first());
    }

    static LongStream cases() {
        long first = TestEngines.seed(0);
        return LongStream.range(first, first + Extent.cases(15, 60));
    }

    @Tag("extended")
    @ParameterizedTest
    @MethodSource("cases")
    void everyPlanOnEveryDeviceGivesTheTwinsBits(long seed) {
        RandomLstm random = RandomLstm.any(seed);
        LstmOutput expected = run(Device.JAVA, EngineOptions.DEFAULT, random);
        List<Plan> plans = plans(random).toList();
        for (ClDevice device : TestDevices.list()) {
            for (Plan plan : plans) {
                EngineOptions options = EngineOptions.DEFAULT.withPlan(plan);
                Bits.assertSame(
                        random + " on " + device + ", " + plan,
                        expected,
                        run(OpenClDevices.nameOf(device), options, random));
            }
        }
    }

    /** Every plan; for cells of their own kind, which need kernels of their own, one plan after the other. */
    private static Stream<Plan> plans(RandomLstm random) {
        Plan[] all = Plan.values();
        return random.model().isOrdinary()
                ? Stream.of(all)
                : Extent.of(Stream.of(all[Math.floorMod(random.seed() / 3, all.length)]), () -> Stream.of(all));
    }

    private static LstmOutput run(Device device, EngineOptions options, RandomLstm random) {
        try (LstmEngine engine = LstmEngine.open(device, random.model(), options);
                LstmSession session = engine.newSession()) {
            assertEquals(Tier.EXACT, engine.tier());
            return session.run(random.input());
        }
    }

    /**
     * Chunks of the hoisted plan: pre-activations of this case need more than one, which stand apart for the two
     * directions.
     */
    @Test
    void hoistedChunksMeetWithoutASeam() {
        Random random = new Random(TestEngines.seed(11));
        LstmModel model = RandomLstm.model(random, Direction.BIDIRECTIONAL, 1, 2, 207, false, true);
        LstmInput input = RandomLstm.input(random, model, 207, 120)
                .withLengths(random.ints(207, 0, 101).toArray());
        RandomLstm big = new RandomLstm(11, model, input);
        int chunk = new RunSizes(
                        model,
                        new RowOrder(big.input()),
                        Choosers.typical(TestDevices.first().capabilities(), LayerSize.of(model))
                                .choose(207, 120, Optional.of(Plan.HOISTED), true),
                        false)
                .chunkSteps(model.last());
        assertTrue(
                chunk < 100 && 100 % chunk != 0,
                "the case must need several chunks, and one holds " + chunk + " steps");
        Bits.assertSame(
                "hoisted in chunks of " + chunk,
                run(Device.JAVA, EngineOptions.DEFAULT, big),
                run(device(), EngineOptions.DEFAULT.withPlan(Plan.HOISTED), big));
    }

    @Test
    void everythingIsReleased() {
        RandomLstm random = RandomLstm.of(5);
        long before = OpenCl.liveObjects();
        run(device(), EngineOptions.DEFAULT, random);
        assertEquals(before, OpenCl.liveObjects());
        LstmEngine engine = LstmEngine.open(device(), random.model());
        engine.newSession().run(random.input());
        engine.close(); // closes its session, too
        assertEquals(before, OpenCl.liveObjects());
    }

    /**
     * Rows of 2 KiB and more stand apart on the device: what is padded, and what isn't, is copied and read all the
     * same.
     */
    @ParameterizedTest
    @EnumSource(Plan.class)
    void paddedRowsGiveTheTwinsBits(Plan plan) {
        long seed = TestEngines.seed(19);
        Random random = new Random(seed);
        for (int[] sizes : new int[][] {{512, 256, 2}, {3, 512, 1}, {1024, 16, 1}}) {
            LstmModel model = RandomLstm.model(random, sizes[2], sizes[0], sizes[1], sizes[2] == 2, true);
            RandomLstm wide = new RandomLstm(seed, model, RandomLstm.input(random, model, 15, 3));
            Bits.assertSame(
                    wide + ", " + plan,
                    run(Device.JAVA, EngineOptions.DEFAULT, wide),
                    run(device(), EngineOptions.DEFAULT.withPlan(plan), wide));
        }
    }

    @Test
    void aMissingDeviceIsNamedBesideThoseThatThereAre() {
        InvalidInputException e = assertThrows(
                InvalidInputException.class,
                () -> LstmEngine.open(
                        Device.parse("opencl:7.3"), RandomLstm.of(1).model()));
        assertTrue(e.getMessage().startsWith("device opencl:7.3: expected one of opencl:0.0 ("), e.getMessage());
    }

    private static PlanChoice choice(Capabilities device, LayerSize layer, int rows, int steps) {
        return Choosers.typical(device, layer, 64).choose(rows, steps, Optional.empty(), true);
    }

    @Test
    void planAndTileFollowTheShape() {
        LayerSize large = new LayerSize(512, 512, 512, 1), small = new LayerSize(64, 64, 64, 1);
        Capabilities pocl = Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 2, 16);
        PlanChoice many = choice(pocl, large, 1000, 64);
        assertEquals(Plan.FUSED, many.plan());
        assertEquals(6, many.step().rows(), "24 sums fill 32 registers");
        assertEquals(1, many.step().prefetch());
        assertEquals(Plan.SEQUENCE, choice(pocl, small, 4096, 64).plan());
        assertEquals(SequenceGroups.EACH_TILE, choice(pocl, small, 4096, 64).groups());
        assertEquals(0, choice(pocl, small, 4096, 64).step().prefetch(), "weights that stay in the cache");
        assertEquals(Plan.SEQUENCE, choice(pocl, small, 1, 64).plan());
        assertEquals(
                SequenceGroups.EACH_TILE, choice(pocl, small, 1, 64).groups(), "a step of a microsecond isn't shared");
        PlanChoice one = choice(pocl, large, 1, 64);
        assertEquals(Plan.SEQUENCE, one.plan());
        assertEquals(new SequenceGroups(1, 2), one.groups());
        assertEquals(1, one.step().rows());
        assertTrue(one.step().hoisted());
        DeviceSpeed slow = new DeviceSpeed(350e9, 100e9, 15e9, 25e9, 4e-6);
        PlanChoice some = new PlanChooser(pocl, large, slow, 2).choose(26, 64, Optional.empty(), true);
        assertEquals(2, some.step().gates(), "tall tiles read the weights less often");
        assertTrue(
                one.reason()
                        .matches(
                                "sequence plan, hoisted \\(estimated [0-9.]+ ms; [a-z]+ plan [0-9.]+ ms for its .*\\), "
                                        + "tile of 1 rows .*"),
                one.reason());
    }

    @Test
    void workItemsWaitForEachOtherOnlyWhereTheyRunTogether() {
        LayerSize large = new LayerSize(512, 512, 512, 1);
        for (Capabilities device : List.of(
                Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 65, 16),
                Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 1, 16),
                Described.device(Capabilities.Type.CPU, "OpenCL 2.1 LINUX", 2, 16),
                Described.device(Capabilities.Type.GPU, "OpenCL 2.0 AMD-APP", 60, 1))) {
            for (int rows : new int[] {1, 16, 64, 256}) {
                assertFalse(choice(device, large, rows, 64).groups().isCooperative(), device + " " + rows);
            }
        }
    }

    @Test
    void coresBeyondTheBlocksOfUnitsShareTheRows() {
        Capabilities pocl = Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 64, 16);
        LayerSize large = new LayerSize(512, 512, 512, 1);
        assertEquals(new SequenceGroups(1, 32), choice(pocl, large, 1, 64).groups());
        SequenceGroups many = choice(pocl, large, 64, 64).groups();
        assertTrue(many.rows() > 1 && many.units() > 1 && many.rows() * many.units() == 64, many::toString);
    }

    /** Sessions share the memory of small transfers: a thousand that have run cost no more of it than one. */
    @Test
    void sessionsCostLittleDirectMemory() {
        RandomLstm random = RandomLstm.of(TestEngines.seed(30));
        BufferPoolMXBean direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        List<LstmSession> sessions = new ArrayList<>();
        try (LstmEngine engine = open(random.model())) {
            try (LstmSession first = engine.newSession()) {
                first.run(random.input());
            }
            long before = direct.getMemoryUsed();
            for (int k = 0; k < 1000; k++) {
                LstmSession session = engine.newSession();
                sessions.add(session);
                if (k % 50 == 0) {
                    session.run(random.input());
                }
            }
            long used = direct.getMemoryUsed() - before;
            assertTrue(used < 2 << 20, () -> used + " bytes of direct memory");
            sessions.forEach(LstmSession::close);
        }
    }
}
