package io.github.cellfuse.opencl.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Plan;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** The estimated cost of a candidate, and how it depends on the speeds of the device. */
class CostModelTest {
    private static final DeviceSpeed SPEED = new DeviceSpeed(300e9, 100e9, 50e9, 25e9, 4e-6);
    private static final Candidate FUSED = new Candidate(Plan.FUSED, 6, 4, 0, false, SequenceGroups.EACH_TILE);
    private static final Candidate HOISTED = new Candidate(Plan.HOISTED, 6, 4, 0, true, SequenceGroups.EACH_TILE);
    private static final Candidate SEQUENCE = new Candidate(Plan.SEQUENCE, 6, 4, 0, false, SequenceGroups.EACH_TILE);
    private static final Candidate COOPERATIVE = new Candidate(Plan.SEQUENCE, 6, 4, 0, false, new SequenceGroups(1, 2));
    private static final Candidate TALL = new Candidate(Plan.FUSED, 13, 2, 0, false, SequenceGroups.EACH_TILE);

    private static CostModel model(DeviceSpeed speed, int units) {
        return new CostModel(speed, new LayerSize(units, units, units, 1), 16, 2, 32 << 20);
    }

    private static double ratio(DeviceSpeed speed, int units, Candidate a, Candidate b, int rows) {
        CostModel model = model(speed, units);
        return model.of(a, rows, 64).seconds() / model.of(b, rows, 64).seconds();
    }

    @Test
    void aLargeBatchTakesLittleMoreThanItsMultiplyAddsAtThePeak() {
        CostModel.Cost cost = model(SPEED, 512).of(FUSED, 1024, 64);
        double atPeak = 8.0 * 512 * 1024 * 1024 * 64 / SPEED.flops();
        assertTrue(cost.multiplyAdds() > atPeak && cost.seconds() < 1.2 * atPeak, cost + " for " + atPeak);
    }

    @Test
    void aSlowerSpeedCostsThoseMoreThatUseItMore() {
        DeviceSpeed slowLaunch = new DeviceSpeed(300e9, 100e9, 50e9, 25e9, 40e-6);
        assertTrue(ratio(slowLaunch, 64, SEQUENCE, FUSED, 64) < ratio(SPEED, 64, SEQUENCE, FUSED, 64));
        DeviceSpeed slowFar = new DeviceSpeed(300e9, 100e9, 10e9, 25e9, 4e-6);
        assertTrue(ratio(slowFar, 512, TALL, FUSED, 13) < ratio(SPEED, 512, TALL, FUSED, 13), "fewer tiles of a panel");
        assertTrue(ratio(slowFar, 512, COOPERATIVE, SEQUENCE, 12) < ratio(SPEED, 512, COOPERATIVE, SEQUENCE, 12));
        DeviceSpeed slowMemory = new DeviceSpeed(300e9, 100e9, 50e9, 5e9, 4e-6);
        assertTrue(ratio(slowMemory, 512, HOISTED, FUSED, 64) > ratio(SPEED, 512, HOISTED, FUSED, 64));
        CostModel slow = model(slowLaunch, 64);
        assertEquals(
                "launches and waits",
                slow.of(FUSED, 64, 64).excessOver(slow.of(SEQUENCE, 64, 64)),
                "the reason names it");
    }

    /** Costs are times: positive, and more work never takes less time, at any speed. */
    @Test
    void moreRowsStepsUnitsOrDirectionsNeverCostLess() {
        long seed = TestEngines.seed(60);
        Random random = new Random(seed);
        DoubleUnaryOperator around = typical -> typical * Math.exp(random.nextGaussian());
        for (int n = 0; n < 2000; n++) {
            DeviceSpeed speed = new DeviceSpeed(
                    around.applyAsDouble(300e9),
                    around.applyAsDouble(100e9),
                    around.applyAsDouble(50e9),
                    around.applyAsDouble(25e9),
                    around.applyAsDouble(4e-6));
            int inputs = 1 + random.nextInt(600), units = 1 + random.nextInt(1500), cores = 1 + random.nextInt(64);
            int rows = 1 + random.nextInt(2000), steps = 1 + random.nextInt(100);
            Candidate candidate =
                    List.of(FUSED, HOISTED, SEQUENCE, COOPERATIVE, TALL).get(random.nextInt(5));
            LayerSize layer = new LayerSize(inputs, units, units, 1);
            double cost = new CostModel(speed, layer, 16, cores, 32 << 20)
                    .of(candidate, rows, steps)
                    .seconds();
            String what = "seed " + seed + ", case " + n + ": " + candidate + " of " + layer + ", " + rows + " rows, "
                    + steps + " steps, " + cores + " cores, " + speed;
            assertTrue(cost > 0 && Double.isFinite(cost), what);
            CostModel model = new CostModel(speed, layer, 16, cores, 32 << 20);
            assertTrue(model.of(candidate, 2 * rows, steps).seconds() >= cost, what);
            assertTrue(model.of(candidate, rows, 2 * steps).seconds() > cost, what);
            LayerSize both = new LayerSize(inputs, units, units, 2),
                    wide = new LayerSize(inputs, 2 * units, 2 * units, 1);
            for (LayerSize more : List.of(both, wide)) {
                double most = new CostModel(speed, more, 16, cores, 32 << 20)
                        .of(candidate, rows, steps)
                        .seconds();
                assertTrue(most >= cost, what + ", against " + more);
            }
        }
    }
}
