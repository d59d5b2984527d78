package io.github.cellfuse.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineContract;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.RowOrder;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.Tier;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract on the first OpenCL device, and the plans on every one. */
class OpenClEngineTest extends EngineContract {
    @Override
    protected Device device() {
        return OpenClEngineProvider.nameOf(TestDevices.first());
    }

    static LongStream cases() {
        long first = TestEngines.seed(0);
        return LongStream.range(first, first + 60);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyPlanOnEveryDeviceGivesTheTwinsBits(long seed) {
        RandomLstm random = RandomLstm.of(seed);
        LstmOutput expected = run(Device.JAVA, EngineOptions.DEFAULT, random);
        for (ClDevice device : TestDevices.list()) {
            for (Plan plan : Plan.values()) {
                EngineOptions options = EngineOptions.DEFAULT.withPlan(plan);
                Bits.assertSame(
                        random + " on " + device + ", " + plan,
                        expected,
                        run(OpenClEngineProvider.nameOf(device), options, random));
            }
        }
    }

    private static LstmOutput run(Device device, EngineOptions options, RandomLstm random) {
        try (LstmEngine engine = LstmEngine.open(device, random.model(), options);
                LstmSession session = engine.newSession()) {
            assertEquals(Tier.EXACT, engine.tier());
            return session.run(random.input());
        }
    }

    /** Chunks of the hoisted plan: pre-activations of this case need more than one. */
    @Test
    void hoistedChunksMeetWithoutASeam() {
        Random random = new Random(TestEngines.seed(11));
        LstmModel model = RandomLstm.model(random, 1, 2, 207, false, true);
        RandomLstm big = new RandomLstm(11, model, RandomLstm.input(random, model, 207, 120));
        int chunk = new Run(
                        model,
                        new RowOrder(big.input()),
                        PlanChooser.choose(
                                TestDevices.first().capabilities(),
                                Long.MAX_VALUE,
                                207,
                                120,
                                Optional.of(Plan.HOISTED)))
                .chunkSteps();
        assertTrue(chunk < 120, "the case must need several chunks, and one holds " + chunk + " steps");
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

    @Test
    void aMissingDeviceIsNamedBesideThoseThatThereAre() {
        InvalidInputException e = assertThrows(
                InvalidInputException.class,
                () -> LstmEngine.open(
                        Device.parse("opencl:7.3"), RandomLstm.of(1).model()));
        assertTrue(e.getMessage().startsWith("device opencl:7.3: expected one of opencl:0.0 ("), e.getMessage());
    }

    @Test
    void planAndTileFollowTheShape() {
        var device = TestDevices.first().capabilities();
        assertEquals(
                Plan.HOISTED,
                PlanChooser.choose(device, Long.MAX_VALUE, 1, 64, Optional.empty())
                        .plan());
        assertEquals(
                Plan.FUSED,
                PlanChooser.choose(device, Long.MAX_VALUE, 256, 64, Optional.empty())
                        .plan());
        assertEquals(
                Plan.SEQUENCE,
                PlanChooser.choose(device, 128 << 10, 256, 64, Optional.empty()).plan());
        assertEquals(
                1,
                PlanChooser.choose(device, Long.MAX_VALUE, 1, 64, Optional.empty())
                        .step()
                        .rows());
        assertEquals(
                PlanChooser.maxTileHeight(device),
                PlanChooser.choose(device, Long.MAX_VALUE, 1000, 64, Optional.empty())
                        .step()
                        .rows());
    }
}
