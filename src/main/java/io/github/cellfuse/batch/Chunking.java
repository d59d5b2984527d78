package io.github.cellfuse.batch;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import java.util.function.IntUnaryOperator;

/**
 * How a batch is divided into chunks of rows. This affects memory and speed only, never a bit of the result.
 *
 * @param rows {@code N}, the rows of the batch
 * @param chunkRows rows of every chunk except the last, which may have fewer
 */
public record Chunking(long rows, int chunkRows) {
    /** Floats in one direct buffer, whose size in bytes is an int. */
    static final long BUFFER_FLOATS = Integer.MAX_VALUE / Float.BYTES;

    /** The memory for automatic chunks: enough to keep a device busy, and available on any machine. */
    private static final long BUDGET_BYTES = 256L << 20;

    /** The same for a device with memory of its own: a GPU needs more rows to be busy. */
    private static final long BUDGET_BYTES_OF_GPU = 512L << 20;

    /** One chunk is read or written while another is computed. */
    private static final int COPIES = 2;

    /** Automatic chunks are multiples of this if possible; no device has a larger tile of rows. */
    private static final int ROUND_ROWS = 64;

    /** With several devices, the last chunk of the slowest takes about this part of its time. */
    private static final int CHUNKS_OF_A_DEVICE = 4;

    public Chunking {
        if (rows < 1) {
            throw new InvalidInputException("rows N: expected at least 1, found " + rows);
        }
        if (chunkRows < 1) {
            throw new InvalidInputException("rows of a chunk: expected at least 1, found " + chunkRows);
        }
    }

    /**
     * Returns chunks for {@code rows} rows of {@code steps} steps on {@code model} that stay within the memory budget.
     *
     * @param needsY whether y is in memory, or only the states are
     * @param apart whether the device has memory of its own, as a GPU has
     * @throws InvalidInputException if a single row is more than a buffer holds
     */
    public static Chunking automatic(LstmModel model, long rows, int steps, boolean needsY, boolean apart) {
        // A small heap gets small chunks, because the heap's size also limits direct buffers.
        long bytes = Math.min(
                apart ? BUDGET_BYTES_OF_GPU : BUDGET_BYTES, Runtime.getRuntime().maxMemory() / 4);
        long fitting = Math.min(bytes / Float.BYTES / row(model, steps, needsY, apart), largest(model, steps));
        long rounded = fitting > ROUND_ROWS ? fitting - fitting % ROUND_ROWS : Math.max(1, fitting);
        return new Chunking(rows, (int) Math.min(rows, rounded));
    }

    /** Returns the floats of a row in a job, with all copies. */
    private static long row(LstmModel model, int steps, boolean needsY, boolean apart) {
        long input = (long) steps * model.inputSize(), output = needsY ? (long) steps * model.outputSize() : 0;
        long onDevice = apart ? 0 : input + 2 * history(model, steps);
        return COPIES * (input + output) + onDevice + 2 * states(model);
    }

    /**
     * Returns how many rows of a length fit in the memory for {@link #chunkRows} rows of {@code steps} steps, the same
     * number or more. No tensor of such a chunk is larger, so that nothing has to grow, except states.
     *
     * @param needsY whether y is in memory, or only the states are
     * @param apart whether the device has memory of its own, as a GPU has
     */
    public IntUnaryOperator fitting(LstmModel model, int steps, boolean needsY, boolean apart) {
        double longest = row(model, steps, needsY, apart);
        return length -> {
            double times = Math.min(longest / row(model, length, needsY, apart), (double) (steps + 2L) / (length + 2L));
            return (int) Math.min(Math.min(rows, largest(model, length)), (long) (chunkRows * times));
        };
    }

    /**
     * Returns chunks for several devices: smaller ones, if otherwise a device had none, or others waited long for the
     * last chunk.
     */
    public Chunking sharedBy(int devices) {
        return devices == 1 ? this : new Chunking(rows, (int) Math.min(chunkRows, shared(rows, devices)));
    }

    /** Returns chunks of at most {@code mostRows} rows. */
    public Chunking limitedTo(int mostRows) {
        return new Chunking(rows, Math.min(chunkRows, Math.max(1, mostRows)));
    }

    /** Returns how many rows a chunk should have at most, so that {@code devices} devices share the rows evenly. */
    public static long shared(long rows, int devices) {
        long each = (rows + (long) CHUNKS_OF_A_DEVICE * devices - 1) / ((long) CHUNKS_OF_A_DEVICE * devices);
        return (each + ROUND_ROWS - 1) / ROUND_ROWS * ROUND_ROWS;
    }

    /**
     * Returns chunks of {@code chunkRows} rows, or of all rows if there are fewer.
     *
     * @throws InvalidInputException if a chunk is more than a buffer holds
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

    /** Returns the number of chunks. */
    public long count() {
        return (rows + chunkRows - 1) / chunkRows;
    }

    /**
     * Returns the floats that a row takes in memory: input, output, the hidden states of two layers through time, first
     * and last states.
     */
    public static long floats(LstmModel model, long steps) {
        return steps * (model.inputSize() + model.outputSize()) + 2 * history(model, steps) + 2 * states(model);
    }

    private static long states(LstmModel model) {
        return model.hiddenValuesBelow(model.layerCount()) + model.cellValuesBelow(model.layerCount());
    }

    /**
     * Returns the hidden states of a row through time in the widest layer, including the slots before the first and
     * after the last step.
     */
    private static long history(LstmModel model, long steps) {
        return (steps + 2) * model.widestOutput();
    }

    /** Returns the largest number of rows for which every buffer is large enough. */
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
