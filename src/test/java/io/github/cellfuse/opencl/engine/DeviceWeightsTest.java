package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The second copy of the recurrent weights, in which those of all unit blocks are side by side. */
class DeviceWeightsTest {
    private static final int VEC = 4;

    private static DeviceWeights upload(ClContext context, ClQueue queue, LstmModel model, WeightPrecision weights) {
        return DeviceWeights.upload(context, queue, model.layer(0).weights(), VEC, weights);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 13})
    void eachWeightIsAtItsPlaceAndLanesBeyondTheLastUnitAreZeros(int units) {
        long seed = TestEngines.seed(70);
        LstmModel model = RandomLstm.model(new Random(seed), Direction.BIDIRECTIONAL, 1, 3, units, false, true);
        int blocks = Tile.blocks(units, VEC);
        float[] found = new float[2 * units * LstmWeights.GATES * blocks * VEC];
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            ClBuffer recurrent =
                    upload(context, queue, model, WeightPrecision.F32).recurrent();
            assertEquals(4L * found.length, recurrent.bytes());
            new Transfers(queue).read(recurrent, 0, found);
        }
        int at = 0;
        for (int direction = 0; direction < 2; direction++) {
            float[] weights = model.weights(0, direction).recurrent();
            for (int k = 0; k < units; k++) {
                for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                    for (int unit = 0; unit < blocks * VEC; unit++) {
                        float expected = unit < units ? weights[(gate * units + unit) * units + k] : 0;
                        assertEquals(expected, found[at++], "seed " + seed + ", [" + (at - 1) + "]");
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(WeightPrecision.class)
    void itTakesTheMemoryOfThePrecision(WeightPrecision weights) {
        LstmModel model = RandomLstm.model(new Random(71), Direction.FORWARD, 1, 3, 8, false, true);
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            ClBuffer recurrent =
                    upload(context, queue, weights.round(model), weights).recurrent();
            assertEquals(8L * 4 * 8 * weights.bytes(), recurrent.bytes());
        }
    }

    @Test
    void allSessionsShareOneCopyThatIsFreedWithTheWeights() {
        LstmModel model = RandomLstm.model(new Random(72), Direction.FORWARD, 1, 3, 64, false, true);
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue()) {
            DeviceWeights weights = upload(context, queue, model, WeightPrecision.F32);
            Set<ClBuffer> copies = ConcurrentHashMap.newKeySet();
            IntStream.range(0, 16).parallel().forEach(session -> copies.add(weights.recurrent()));
            assertEquals(1, copies.size(), copies::toString);
            ClBuffer copy = copies.iterator().next();
            assertFalse(copy.isClosed());
            weights.close();
            assertTrue(copy.isClosed());
        }
    }
}
