package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Plan;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.batch.DeviceNeed;
import io.github.cellfuse.opencl.plan.PlanChoice;
import io.github.cellfuse.opencl.plan.SequenceGroups;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.spi.RowOrder;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The memory that a job expects a batch to need is what a session allocates, or more. */
class DeviceNeedTest {
    private static final long MIB = 1 << 20;

    @Test
    void noSessionNeedsMore() {
        for (int seed = 1; seed <= 40; seed++) {
            LstmModel model = RandomLstm.of(seed).model();
            for (int steps : new int[] {1, 7, 300}) {
                for (int rows : new int[] {1, 2, 5, 64, 333}) {
                    for (boolean hoisted : new boolean[] {false, true}) {
                        check(model, rows, steps, hoisted);
                    }
                }
            }
        }
    }

    private static void check(LstmModel model, int rows, int steps, boolean hoisted) {
        LstmInput batch = LstmInput.batchMajor(new float[rows * steps * model.inputSize()], rows, steps);
        int height = rows >= 13 ? 13 : rows;
        Tile tile = new Tile(16, height, hoisted ? 4 : 2, 0, hoisted, hoisted);
        PlanChoice choice = new PlanChoice(
                hoisted ? Plan.HOISTED : Plan.SEPARATE, tile, Tile.of(16, height), SequenceGroups.EACH_TILE, "");
        RunSizes run = new RunSizes(model, new RowOrder(batch), choice, true);
        long[] bytes = Stream.of(DeviceTensor.values())
                .mapToLong(tensor -> GrowingBuffer.bytes(tensor.title(), tensor.dimensions(run)))
                .toArray();
        DeviceNeed need = new DeviceNeed(model, steps);
        String what = model.layers() + " with " + rows + " rows of " + steps + " steps";
        assertTrue(need.largestBuffer(rows) >= LongStream.of(bytes).max().getAsLong(), what);
        assertTrue(need.bytes(rows) >= LongStream.of(bytes).sum(), what);
    }

    @Test
    void theLargestBufferAndTheWholeMemoryBothLimitTheRows() {
        LstmModel model = RandomLstm.of(1).model();
        DeviceNeed need = new DeviceNeed(model, 1000);
        int byBuffer = DeviceNeed.mostRows(List.of(need), new DeviceInfo.Memory(1 << 30, 8 * MIB));
        assertTrue(need.largestBuffer(byBuffer) <= 8 * MIB, "" + byBuffer);
        assertTrue(need.largestBuffer(byBuffer + 1) > 8 * MIB, "" + byBuffer);
        int byMemory = DeviceNeed.mostRows(List.of(need), new DeviceInfo.Memory(512 * MIB, 512 * MIB));
        assertTrue(need.bytes(byMemory) <= 384 * MIB, "" + byMemory);
        int two = DeviceNeed.mostRows(List.of(need, need), new DeviceInfo.Memory(512 * MIB, 512 * MIB));
        assertTrue(two < byMemory && two >= 1, two + " of " + byMemory);
        assertEquals(1, DeviceNeed.mostRows(List.of(need), new DeviceInfo.Memory(1, 1)));
        assertEquals(Integer.MAX_VALUE - 1, DeviceNeed.mostRows(List.of(need), DeviceInfo.Memory.OF_PROCESS));
    }
}
