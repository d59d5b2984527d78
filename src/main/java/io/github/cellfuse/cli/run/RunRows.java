package io.github.cellfuse.cli.run;

import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.batch.ChunkLimit;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.batch.DeviceNeed;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.batch.LengthOrder.Tiles;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * The rows of a run, and how they are divided into chunks.
 *
 * @param chunking the chunks, if each row has all steps
 * @param order the order of the rows in a run of several chunks; empty for their own
 * @param limit the rows of a chunk in that order
 */
record RunRows(RunInput source, Chunking chunking, Optional<LengthOrder> order, ChunkLimit limit) {
    /**
     * Divides the rows of {@code source}.
     *
     * @param batch the number of rows that a user wants, or null
     * @param needsY whether y is in memory, or only the states are
     * @param keepsOrder whether the rows have to keep their order, as in a pipe
     * @param apart whether the device has memory of its own, as a GPU has
     * @param devices what the devices have memory for that share the rows; the smallest counts
     * @throws InvalidInputException if a chunk is more than a buffer holds
     */
    static RunRows of(
            RunInput source,
            RunShape shape,
            Integer batch,
            boolean needsY,
            boolean keepsOrder,
            boolean apart,
            List<DeviceInfo.Memory> devices) {
        LstmModel model = shape.model();
        Chunking chunking = batch == null
                ? Chunking.automatic(model, shape.rows(), shape.steps(), needsY, apart)
                        .sharedBy(Math.max(1, devices.size()))
                        .limitedTo(mostRows(model, shape.steps(), devices))
                : Chunking.of(model, shape.rows(), shape.steps(), batch);
        IntUnaryOperator inMemory = chunking.fitting(model, shape.steps(), needsY, apart);
        IntUnaryOperator fitting = batch == null
                ? steps -> Math.min(inMemory.applyAsInt(steps), mostRows(model, steps, devices))
                : steps -> chunking.chunkRows();
        Optional<LengthOrder> order =
                !keepsOrder && source.isFastByRow() ? LengthOrder.of(model, source) : Optional.empty();
        ChunkLimit limit = order.map(by -> by.limit(fitting, apart ? Tiles.OF_GPU : Tiles.OF_CPU))
                .orElse(firstRow -> chunking.chunkRows());
        return new RunRows(source, chunking, order, limit);
    }

    /** Returns how many rows of {@code steps} steps every device has memory for. */
    private static int mostRows(LstmModel model, int steps, List<DeviceInfo.Memory> devices) {
        List<DeviceNeed> needs = List.of(new DeviceNeed(model, steps));
        return devices.stream()
                .mapToInt(memory -> DeviceNeed.mostRows(needs, memory))
                .min()
                .orElse(Integer.MAX_VALUE);
    }
}
