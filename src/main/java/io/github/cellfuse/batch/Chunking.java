package io.github.cellfuse.batch;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;

/**
 * How a batch is cut into chunks of rows. It decides on memory and speed alone, never on a bit of the result.
 *
 * @param rows {@code N}, the rows of the batch
 * @param chunkRows rows of every chunk but the last, which may have fewer
 */
public record Chunking(long rows, int chunkRows) {
    /** Floats in one direct buffer: Java counts its bytes in an int. */
    static final long BUFFER_FLOATS = Integer.MAX_VALUE / Float.BYTES;

    /** What an automatic chunk may take: enough to keep a device busy, little enough for any machine. */
    private static final long BUDGET_BYTES = 256L << 20;

    /** Automatic chunks are whole multiples of this where they can: no device has a larger tile of rows. */
    private static final int ROUND_ROWS = 64;

    public Chunking {
        if (rows < 1) {
            throw new InvalidInputException("rows N: expected at least 1, found " + rows);
        }
        if (chunkRows < 1) {
            throw new InvalidInputException("rows of a chunk: expected at least 1, found " + chunkRows);
        }
    }

    /**
     * Chunks for {@code rows} rows of {@code steps} steps on {@code model} that stay within the memory budget.
     *
     * @throws InvalidInputException when a single row is more than a buffer holds
     */
    public static Chunking automatic(LstmModel model, long rows, int steps) {
        // A small heap gets small chunks: direct buffers, too, are limited by its size.
        long bytes = Math.min(BUDGET_BYTES, Runtime.getRuntime().maxMemory() / 4);
        long fitting = Math.min(bytes / Float.BYTES / floats(model, steps), largest(model, steps));
        long rounded = fitting > ROUND_ROWS ? fitting - fitting % ROUND_ROWS : Math.max(1, fitting);
        return new Chunking(rows, (int) Math.min(rows, rounded));
    }

    /**
     * Chunks of {@code chunkRows} rows, or of all where there are fewer.
     *
     * @throws InvalidInputException when a chunk is more than a buffer holds
     */
    public static Chunking of(LstmModel model, long rows, int steps, int chunkRows) {
        long largest = largest(model, steps);
        long used = Math.min(rows, chunkRows);
        if (used > largest) {
            throw new InvalidInputException("batch: expected at most " + largest + " rows of " + steps
                    + " steps, as one buffer holds " + BUFFER_FLOATS + " values, found " + used);
        }
        return new Chunking(rows, (int) used);
    }

    /** The number of chunks. */
    public long count() {
        return (rows + chunkRows - 1) / chunkRows;
    }

    /** The first row of chunk {@code chunk}, 0-based. */
    public long firstRow(long chunk) {
        return chunk * chunkRows;
    }

    /** The rows of chunk {@code chunk}. */
    public int rowsOf(long chunk) {
        return (int) Math.min(chunkRows, rows - firstRow(chunk));
    }

    /** Floats that a row takes in memory: input, output, the hidden states of two layers through time, first and last states. */
    private static long floats(LstmModel model, int steps) {
        long states = model.hiddenValuesBelow(model.layerCount()) + model.cellValuesBelow(model.layerCount());
        return (long) steps * model.inputSize()
                + (long) steps * model.outputSize()
                + 2 * history(model, steps)
                + 2 * states;
    }

    /** Hidden states of a row through time, of the widest layer, with the slots before the first and after the last step. */
    private static long history(LstmModel model, int steps) {
        return (steps + 2L) * model.widestOutput();
    }

    /** The most rows of which every buffer holds its part. */
    private static long largest(LstmModel model, int steps) {
        long input = (long) steps * model.inputSize();
        long hidden = history(model, steps);
        long states = model.cellValuesBelow(model.layerCount());
        long row = Math.max(Math.max(input, hidden), states);
        if (row > BUFFER_FLOATS) {
            throw new InvalidInputException("time steps T: a row of " + steps + " steps takes " + row
                    + " values; expected at most the " + BUFFER_FLOATS + " that one buffer holds; cut the sequences");
        }
        return BUFFER_FLOATS / row;
    }
}
