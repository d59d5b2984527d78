package io.github.cellfuse.batch;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Runs a batch on an engine chunk by chunk, so that only one chunk needs memory. Thread safe. */
public final class BatchRun {
    private BatchRun() {}

    /**
     * Runs every row of {@code source} on {@code engine} and writes the results to {@code sink}.
     *
     * @param chunking how to divide the rows; for the number of rows of the source
     * @param progress receives the number of rows done after each chunk
     * @throws io.github.cellfuse.InvalidInputException if source and model don't fit
     * @throws io.github.cellfuse.CellFuseException if reading, the device or writing fails; some chunks may have been
     *     written
     */
    public static Report run(
            LstmEngine engine, ChunkSource source, ChunkSink sink, Chunking chunking, LongConsumer progress) {
        if (chunking.rows() != source.rows()) {
            throw new IllegalArgumentException(
                    "chunking: expected " + source.rows() + " rows, found " + chunking.rows());
        }
        LstmModel model = engine.model();
        long started = System.nanoTime();
        long computing = 0;
        long validSteps = 0;
        try (LstmSession session = engine.newSession()) {
            ChunkBuffers buffers = new ChunkBuffers(model, source, chunking.chunkRows(), sink.needsY());
            for (long chunk = 0; chunk < chunking.count(); chunk++) {
                long firstRow = chunking.firstRow(chunk);
                LstmInput input = read(source, firstRow, buffers, chunking.rowsOf(chunk));
                LstmOutput output = buffers.output(input.rows());
                long before = System.nanoTime();
                session.run(input, output);
                computing += System.nanoTime() - before;
                CanonicalNaN.apply(output);
                sink.write(firstRow, output);
                validSteps += Arrays.stream(input.lengths()).asLongStream().sum();
                progress.accept(firstRow + input.rows());
            }
        }
        return new Report(
                source.rows(),
                chunking.count(),
                Math.multiplyExact(validSteps, model.flopsPerStep()),
                Duration.ofNanos(System.nanoTime() - started),
                Duration.ofNanos(computing));
    }

    private static LstmInput read(ChunkSource source, long firstRow, ChunkBuffers buffers, int rows) {
        FloatBuffer x = buffers.input(rows);
        source.readInput(firstRow, rows, x);
        Optional<int[]> lengths = source.readLengths(firstRow, rows);
        Optional<LstmState> state = source.readInitialState(firstRow, rows);
        LstmInput input = LstmInput.of(source.layout(), x, rows, source.steps());
        input = lengths.map(input::withLengths).orElse(input);
        return state.map(input::withInitialState).orElse(input);
    }

    /**
     * What a run did.
     *
     * @param rows rows of the batch
     * @param chunks the number of chunks
     * @param flops floating-point operations of the rows' valid steps, counted as in {@link LstmModel#flopsPerStep()}
     * @param total time from the first read to the last write
     * @param computing the part of it that sessions ran
     */
    public record Report(long rows, long chunks, long flops, Duration total, Duration computing) {
        /** Returns the rows per second, reading and writing included. */
        public double rowsPerSecond() {
            return rows / seconds(total);
        }

        /** Returns the floating-point operations per nanosecond while computing. */
        public double gigaflops() {
            return flops / seconds(computing) / 1e9;
        }

        private static double seconds(Duration duration) {
            // The clock may not have advanced.
            return Math.max(1, duration.toNanos()) / 1e9;
        }
    }
}
