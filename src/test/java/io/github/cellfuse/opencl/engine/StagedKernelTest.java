package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Bits;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
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
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.plan.Choosers;
import io.github.cellfuse.opencl.plan.LayerSize;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.Plans;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Programs;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The kernels that stage tiles in local memory, by every implementation's compiler, also by one that makes CPUs' code
 * and would never be given it.
 */
@EveryImplementation
class StagedKernelTest {
    private static final int INPUTS = 7, RECURRENT = 5, BLOCKS = 3, ROWS = 21, STEPS = 2, VEC = 4;

    /** Two work-groups along the rows and along the units, none of them full; seven k in stages of four. */
    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void theInputsProductIsTheSameChainEverywhere(ClDevice device) {
        long seed = TestEngines.seed(41);
        Random random = new Random(seed);
        float[] x = RandomLstm.values(random, STEPS * ROWS * INPUTS, 3);
        float[] weights = RandomLstm.values(random, BLOCKS * (INPUTS + RECURRENT) * 4 * VEC, 1);
        float[] bias = RandomLstm.values(random, BLOCKS * 4 * VEC, 1);
        float[] found = new float[STEPS * ROWS * BLOCKS * 4 * VEC];
        int[] active = new int[STEPS + 2];
        Arrays.fill(active, 1, STEPS + 1, ROWS);

        Tile tile = Tile.staged(4, new Staging(2, 4, 4));
        try (ClContext context = device.open();
                ClQueue queue = context.queue();
                ClBuffer xs = context.buffer("x", 4L * x.length, ClBuffer.Access.READ_ONLY);
                ClBuffer ws = context.buffer("weights", 4L * weights.length, ClBuffer.Access.READ_ONLY);
                ClBuffer bs = context.buffer("bias", 4L * bias.length, ClBuffer.Access.READ_ONLY);
                ClBuffer as = context.buffer("active", 4L * active.length, ClBuffer.Access.READ_ONLY);
                ClBuffer ps = context.buffer("pre-activations", 4L * found.length, ClBuffer.Access.READ_WRITE)) {
            Kernel kernel = new Programs(context)
                    .kernel(KernelSource.INPUT_PROJECTION_TILED, tile, "lstm_input_projection_tiled");
            Transfers transfers = new Transfers(queue);
            transfers.write(xs, 0, x);
            transfers.write(ws, 0, weights);
            transfers.write(bs, 0, bias);
            transfers.write(as, active);
            kernel.set("x", xs).set("p", ps).set("w", ws).set("bias", bs).set("active", as);
            kernel.set("row_pitch", ROWS)
                    .set("x_first", 1)
                    .set("x_stride", INPUTS)
                    .set("inputs", INPUTS);
            kernel.set("recurrent_inputs", RECURRENT).set("first_reverse", 1).set("longest", STEPS);
            kernel.set("first_step", 1).set("last_step", STEPS).set("blocks", BLOCKS);
            queue.launch(kernel.ready(), NdRange.of(4, 12, 1).local(2, 4, 1));
            transfers.read(ps, 0, found);
        }

        for (int at = 0; at < found.length; at++) {
            int lane = at % VEC, gate = at / VEC % 4, block = at / (4 * VEC) % BLOCKS, row = at / (4 * VEC * BLOCKS);
            float sum = bias[(block * 4 + gate) * VEC + lane];
            for (int k = 0; k < INPUTS; k++) {
                float weight = weights[((block * (INPUTS + RECURRENT) + k) * 4 + gate) * VEC + lane];
                sum = Math.fma(x[row * INPUTS + k], weight, sum);
            }
            int place = at;
            float expected = sum;
            assertTrue(
                    Bits.same(expected, found[at]),
                    () -> "seed " + seed + ", " + device + ", [" + place + "]: expected " + expected + ", found "
                            + found[place]);
        }
    }

    /**
     * Work-items of every height, and weights of every precision. Where a multiply-add is a function, and a staged tile
     * compiles for minutes, the device's own tile.
     */
    static Stream<Arguments> wholeSequences() {
        return TestDevices.all()
                .flatMap(device -> sequenceTiles(device)
                        .flatMap(tile -> Stream.of(WeightPrecision.values())
                                .map(weights -> Arguments.of(device, tile, weights))));
    }

    private static Stream<Tile> sequenceTiles(ClDevice device) {
        Tile own = DeviceTraits.of(device.capabilities()).largestTile();
        return own.vec() == 1
                ? Stream.of(own)
                : Stream.of(4, 2, 1)
                        .map(rows ->
                                Tile.staged(rows, new Staging(4, 4, 16 / rows)).withHoisted(true));
    }

    /**
     * One direction and two, ragged, with a group that isn't full. The units, which are the k of the recurrent product,
     * are fewer and more than the k whose weights a work-item reads ahead, and they leave every remainder.
     */
    @ParameterizedTest(name = "{0}, {1}, {2}")
    @MethodSource("wholeSequences")
    void aWholeSequenceGivesTheTwinsBits(ClDevice device, Tile tile, WeightPrecision weights) {
        int[][] units = {{1, 16}, {6, 13}, {11, 3}};
        Direction[] directions = {tile.rows() == 2 ? Direction.REVERSE : Direction.FORWARD, Direction.BIDIRECTIONAL};
        Plans plans = TileTest.forced(Plan.SEQUENCE, tile, SequenceGroups.EACH_TILE);
        try (ClContext context = device.open()) {
            Programs programs = new Programs(context, weights);
            for (int k = 0; k < directions.length; k++) {
                long seed = TestEngines.seed(43 + k);
                Random random = new Random(seed);
                int hidden = units[(tile.rows() + weights.ordinal()) % units.length][k], rows = tile.groupRows() + 3;
                LstmModel model = RandomLstm.model(random, directions[k], 1, 3, hidden, false, true);
                LstmInput input = RandomLstm.input(random, model, rows, 4)
                        .withLengths(random.ints(rows, 0, 5).toArray())
                        .withInitialState(RandomLstm.state(random, model, rows));
                RandomLstm batch = new RandomLstm(seed, model, input);
                OpenClEngine engine = new OpenClEngine(context, programs, model, plans, Tier.EXACT);
                try (LstmEngine twin = LstmEngine.open(Device.JAVA, model, EngineOptions.DEFAULT.withWeights(weights));
                        LstmSession expected = twin.newSession();
                        LstmSession found = engine.newSession()) {
                    Bits.assertSame(batch + ", " + weights + ", " + tile, expected.run(input), found.run(input));
                }
                engine.closeMemory();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.github.cellfuse.cl.TestDevices#all")
    void aGpuGetsStagedTilesAndAProcessorThoseOfItsRegisters(ClDevice device) {
        Capabilities has = device.capabilities();
        PlanChoice choice =
                Choosers.typical(has, new LayerSize(64, 200, 200, 1)).choose(64, 4, Optional.empty(), true);
        boolean gpu = has.type() != Capabilities.Type.CPU && has.localMemory() == Capabilities.LocalMemory.DEDICATED;
        assertEquals(gpu, choice.step().isStaged(), device + ": " + choice.reason());
        assertTrue(!has.name().startsWith("llvmpipe") || !gpu, "rusticl calls llvmpipe a processor");
    }
}
