package io.github.cellfuse.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChunkingTest {
    private static final LstmModel SMALL = RandomLstm.model(new Random(1), 2, 3, 4, false, true);

    @Test
    void cutsMoreRowsThanAnIntCounts() {
        Chunking chunking = Chunking.of(SMALL, 5_000_000_001L, 10, 1000);
        assertEquals(5_000_001, chunking.count());
    }

    @Test
    void takesNoMoreThanThereIs() {
        assertEquals(new Chunking(7, 7), Chunking.automatic(SMALL, 7, 5, true, false));
        assertEquals(new Chunking(7, 7), Chunking.of(SMALL, 7, 5, 1000));
        assertEquals(1, new Chunking(7, 7).count());
    }

    @Test
    void anAutomaticChunkStaysWithinItsBudgetInWholeTiles() {
        Chunking chunking = Chunking.automatic(SMALL, Long.MAX_VALUE / 2, 1000, true, false);
        // Twice x and y in the host's memory; x and the outputs of two layers on the device.
        long bytes = chunking.chunkRows() * 1000L * (3L * SMALL.inputSize() + 4L * SMALL.outputSize()) * Float.BYTES;
        assertTrue(bytes <= 256L << 20, bytes + " bytes");
        assertTrue(bytes >= Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4) / 2, bytes + " bytes");
        assertEquals(0, chunking.chunkRows() % 64);
    }

    @Test
    void whatIsNotInMemoryLeavesRoomForMoreRows() {
        long with =
                Chunking.automatic(SMALL, Long.MAX_VALUE / 2, 1000, true, false).chunkRows();
        long without = Chunking.automatic(SMALL, Long.MAX_VALUE / 2, 1000, false, false)
                .chunkRows();
        double row = 3.0 * SMALL.inputSize() + 4.0 * SMALL.outputSize();
        assertEquals(row / (row - 2 * SMALL.outputSize()), (double) without / with, 0.02);
        long apart =
                Chunking.automatic(SMALL, Long.MAX_VALUE / 2, 1000, true, true).chunkRows();
        double own = 2.0 * SMALL.inputSize() + 2.0 * SMALL.outputSize();
        double budgets = Math.min(512L << 20, Runtime.getRuntime().maxMemory() / 4.0)
                / Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 4.0);
        assertEquals(budgets * row / own, (double) apart / with, 0.1);
    }

    @Test
    void aRowBeyondTheBudgetGoesAlone() {
        assertEquals(1, Chunking.automatic(SMALL, 100, 60_000_000, true, false).chunkRows());
    }

    @Test
    void refusesWhatNoBufferHolds() {
        String row = assertThrows(
                        InvalidInputException.class,
                        () -> Chunking.automatic(SMALL, 100, Integer.MAX_VALUE - 2, true, false))
                .getMessage();
        assertTrue(row.contains("2147483645 steps") && row.contains("expected at most"), row);
        String chunk = assertThrows(InvalidInputException.class, () -> Chunking.of(SMALL, 100_000, 100_000, 50_000))
                .getMessage();
        assertTrue(chunk.startsWith("batch: expected at most ") && chunk.endsWith("found 50000"), chunk);
        assertThrows(InvalidInputException.class, () -> new Chunking(0, 1));
        assertThrows(InvalidInputException.class, () -> new Chunking(1, 0));
    }

    /** Each device gets several chunks, unless they would be too small to keep it busy. */
    @Test
    void devicesShareTheRows() {
        assertEquals(new Chunking(10_000, 5_000), new Chunking(10_000, 5_000).sharedBy(1));
        assertEquals(new Chunking(10_000, 1_280), new Chunking(10_000, 5_000).sharedBy(2));
        assertEquals(new Chunking(10_000, 700), new Chunking(10_000, 700).sharedBy(2));
        assertEquals(new Chunking(100, 64), new Chunking(100, 100).sharedBy(2));
        assertEquals(new Chunking(7, 7), new Chunking(7, 7).sharedBy(3));
        assertEquals(new Chunking(1L << 40, 1 << 20), new Chunking(1L << 40, 1 << 20).sharedBy(8));
    }
}
