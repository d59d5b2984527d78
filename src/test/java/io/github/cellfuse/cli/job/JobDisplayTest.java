package io.github.cellfuse.cli.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.batch.ChunkMetrics;
import io.github.cellfuse.cli.Progress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobDisplayTest {
    private static final Device OTHER = new Device.OpenCl(9, 0);

    private final List<String> notes = new ArrayList<>();
    private final List<Long> shown = new ArrayList<>();

    private final Progress progress = new Progress() {
        @Override
        public void note(String text) {
            notes.add(text);
        }

        @Override
        public void accept(long done) {
            shown.add(done);
        }
    };

    private static ChunkMetrics chunk(Device device, long flops, long rowsDone) {
        return new ChunkMetrics(device, rowsDone - 10, 10, flops, 0, 1, 1, 1, rowsDone);
    }

    @Test
    void rowsWithTheSpeedAndTheSharesOfSeveralDevices() {
        try (JobDisplay display = new JobDisplay(before -> progress, line -> {})) {
            display.onBegin(0);
            display.onChunk(chunk(Device.JAVA, 1_000, 10));
            display.onChunk(chunk(OTHER, 1_000, 20));
            display.advance(3); // chunks count here
        }
        assertEquals(List.of(10L, 20L), shown);
        assertTrue(notes.get(0).matches("\\S+ GFLOP/s"), notes::toString);
        assertTrue(notes.get(1).matches("\\S+ GFLOP/s, java 50 %, opencl:9\\.0 50 %"), notes::toString);
    }

    /** A graph has no floating-point operations that are known. */
    @Test
    void withoutASpeed() {
        try (JobDisplay display = new JobDisplay(before -> progress, line -> {})) {
            display.onBegin(0);
            display.onChunk(chunk(Device.JAVA, 0, 10));
            display.onChunk(chunk(OTHER, 0, 20));
        }
        assertEquals(List.of("java 50 %, opencl:9.0 50 %"), notes);
    }

    @Test
    void framesOfAChunkThatRunsAgainAreNoMoreThanAll() {
        try (JobDisplay display = new JobDisplay(before -> progress, line -> {}, 7, 70)) {
            display.onBegin(1);
            display.advance(21);
            display.onChunk(chunk(Device.JAVA, 0, 10));
            display.advance(63);
        }
        assertEquals(List.of(28L, 70L), shown);
    }
}
