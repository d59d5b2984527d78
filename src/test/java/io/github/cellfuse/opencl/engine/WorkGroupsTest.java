package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.Ranges;
import io.github.cellfuse.opencl.plan.Described;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkGroupsTest {
    private static final WorkGroups GPU = new WorkGroups(Described.gpu(132, 48 << 10, 1024));
    private static final WorkGroups SMALL = new WorkGroups(Described.gpu(2, 32 << 10, 32));
    private static final WorkGroups CPU =
            new WorkGroups(Described.device(Capabilities.Type.CPU, "OpenCL 3.0 PoCL", 2, 16));

    /** Left to the driver, a few work-items may all end up in one group, on one of hundreds of cores. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "1, 128, 2", "17, 127, 1", "1000, 33, 2"})
    void everyLaunchHasGroupsThatDivideItAndCoverWhatIsNeeded(int rows, int blocks, int directions) {
        for (WorkGroups groups :
                List.of(GPU, SMALL, CPU, new WorkGroups(GPU.device(), 1), new WorkGroups(CPU.device(), 3))) {
            assertCovers(groups, groups.tiles(rows, blocks, directions), rows, blocks, directions);
            assertCovers(groups, groups.blocks(blocks, rows, directions), blocks, rows, directions);
            assertCovers(groups, groups.paddedRows(blocks, rows, directions), blocks, rows, directions);
            assertCovers(groups, groups.line(rows), rows);
            assertCovers(groups, groups.manyItems(blocks), blocks);
            // As the loop over steps changes it.
            assertCovers(
                    groups,
                    groups.tiles(1, blocks, directions).global(0, groups.rowTiles(rows)),
                    rows,
                    blocks,
                    directions);
            assertCovers(
                    groups,
                    groups.blocks(blocks, 1, directions).global(1, groups.rows(rows)),
                    blocks,
                    rows,
                    directions);
        }
    }

    private static void assertCovers(WorkGroups groups, NdRange range, long... needed) {
        for (int d = 0; d < needed.length; d++) {
            assertTrue(Ranges.globals(range)[d] >= needed[d], range::toString);
            assertEquals(0, Ranges.globals(range)[d] % Ranges.locals(range)[d], range::toString);
        }
        long items = LongStream.of(Ranges.locals(range)).limit(needed.length).reduce(1, (a, b) -> a * b);
        assertTrue(items <= Math.min(groups.limit(), groups.device().maxWorkGroupSize()), range::toString);
    }

    @Test
    void aProcessorLaunchesNothingThatIsNotNeeded() {
        assertArrayEquals(new long[] {3, 5, 2}, Ranges.globals(CPU.tiles(3, 5, 2)));
        assertArrayEquals(new long[] {5, 3, 2}, Ranges.globals(CPU.blocks(5, 3, 2)));
    }

    @Test
    void aGpuGetsWholeWaves() {
        assertArrayEquals(new long[] {8, 8, 1}, Ranges.locals(GPU.tiles(1, 128, 1)));
        assertArrayEquals(new long[] {16, 4, 1}, Ranges.locals(GPU.blocks(128, 1, 1)));
        assertArrayEquals(new long[] {64, 1, 1}, Ranges.locals(GPU.paddedRows(5, 1, 1)));
    }
}
