package io.github.cellfuse;

import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Many sequences that arrive in pieces, each with its own state: a stream. The states stay on the device between the calls. A call takes
 * the next piece of any of the streams, in any order, and leaves the others as they are; the bits are those of each stream run alone.
 *
 * <pre>{@code
 * try (LstmStreams streams = session.newStreams()) {
 *     int first = streams.add(), second = streams.add();
 *     FloatBuffer y = streams.run(LstmInput.batchMajor(features, 2, 1), first, second);
 *     streams.run(LstmInput.batchMajor(more, 1, 1), second);      // first waits
 *     streams.reset(first);                                       // a new sequence begins there
 *     streams.drop(second);
 * }
 * }</pre>
 *
 * <p>A stream is known by a small number. The number of one that was dropped is given to the next that is added. Belongs to its session,
 * and like it to one thread; the session may run batches in between, and {@linkplain LstmSession#close() closes} its streams. Closing twice
 * does nothing.
 */
public abstract class LstmStreams implements AutoCloseable {
    private static final int FEWEST = 16;

    private final LstmModel model;
    /** By number: streams that there are, and those of them whose state is zeros, whatever is stored. */
    private final BitSet alive = new BitSet(), fresh = new BitSet();

    private int capacity;
    private boolean closed;

    /**
     * Streams of {@code model}: none at first.
     *
     * @throws InvalidInputException when the model has a reverse direction: it needs the end of a sequence first
     */
    protected LstmStreams(LstmModel model) {
        checkForward(model);
        this.model = model;
    }

    private static void checkForward(LstmModel model) {
        for (LstmLayer layer : model.layers()) {
            if (layer.direction() != Direction.FORWARD) {
                throw new InvalidInputException("streaming: expected a forward model, found a " + layer.direction()
                        + " one, which needs the end of a sequence first");
            }
        }
    }

    /**
     * Adds a stream whose state is zeros.
     *
     * @return its number
     * @throws InvalidInputException when the device can't hold the states of as many streams; they are as before
     */
    public final int add() {
        checkOpen();
        int stream = alive.nextClearBit(0);
        if (stream >= capacity) {
            int larger = Math.max(FEWEST, Math.toIntExact(Math.min(Integer.MAX_VALUE, 2L * capacity)));
            resize(capacity, larger);
            capacity = larger;
        }
        alive.set(stream);
        fresh.set(stream);
        return stream;
    }

    /** Forgets streams: their numbers become free. */
    public final void drop(int... streams) {
        check(streams);
        for (int stream : streams) {
            alive.clear(stream);
        }
    }

    /** Begins new sequences: the states of these streams become zeros. */
    public final void reset(int... streams) {
        check(streams);
        for (int stream : streams) {
            fresh.set(stream);
        }
    }

    /** How many streams there are. */
    public final int count() {
        return alive.cardinality();
    }

    /**
     * Runs the next piece of some streams.
     *
     * @param piece row {@code r} goes on with stream {@code streams[r]}; of any length, 0 too, by its {@code lengths}; without an initial
     *     state
     * @param y receives the outputs, as {@link LstmOutput#y()} does
     * @param streams {@code [N]}, no number twice
     * @throws InvalidInputException when a stream isn't there or comes twice, or the piece doesn't fit; all streams stand as before
     * @throws CellFuseException when the device fails; the states of these streams, and y, are then undefined
     * @throws IllegalStateException when the streams, the session or the engine are closed
     */
    public final void run(LstmInput piece, FloatBuffer y, int... streams) {
        check(streams);
        if (piece.rows() != streams.length) {
            throw new InvalidInputException(
                    "rows N: expected one for each of the " + streams.length + " streams, found " + piece.rows());
        }
        if (piece.initialState().isPresent()) {
            throw new InvalidInputException("initial state: streams carry their own; call scatter() instead");
        }
        piece.check(model);
        LstmOutput.checkOutputs(model, piece, y);
        boolean[] zero = new boolean[streams.length];
        for (int row = 0; row < streams.length; row++) {
            zero[row] = fresh.get(streams[row]);
        }
        compute(piece, y, streams, zero);
        for (int stream : streams) {
            fresh.clear(stream);
        }
    }

    /** Runs the next piece of some streams into new memory: {@code y [N,T,P]} or {@code [T,N,P]} by the piece's layout. */
    public final FloatBuffer run(LstmInput piece, int... streams) {
        FloatBuffer y =
                FloatBuffer.allocate(Sizes.elements("output [N,T,P]", piece.rows(), piece.steps(), model.outputSize()));
        run(piece, y, streams);
        return y;
    }

    /** The states of {@code streams}, row {@code r} being that of {@code streams[r]}: to keep them, or to move them to another device. */
    public final LstmState gather(int... streams) {
        check(streams);
        LstmState state = LstmState.zeros(model, streams.length);
        read(state, streams);
        int[] hidden = model.hiddenWidths(), cell = model.cellWidths();
        for (int row = 0; row < streams.length; row++) {
            if (fresh.get(streams[row])) {
                clear(state.h(), hidden, row, streams.length);
                clear(state.c(), cell, row, streams.length);
            }
        }
        return state;
    }

    private static void clear(float[] values, int[] widths, int row, int rows) {
        int first = 0;
        for (int width : widths) {
            Arrays.fill(values, first + row * width, first + (row + 1) * width, 0);
            first += rows * width;
        }
    }

    /** The streams go on from {@code state}, which is copied: {@code streams[r]} from its row {@code r}. */
    public final void scatter(LstmState state, int... streams) {
        check(streams);
        state.check(model, streams.length);
        write(state, streams);
        for (int stream : streams) {
            fresh.clear(stream);
        }
    }

    private void check(int[] streams) {
        checkOpen();
        BitSet seen = new BitSet();
        for (int stream : streams) {
            if (stream < 0 || !alive.get(stream)) {
                throw new InvalidInputException("streams: expected ones that have been added, found " + stream);
            }
            if (seen.get(stream)) {
                throw new InvalidInputException("streams: expected each once, found " + stream + " twice");
            }
            seen.set(stream);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the streams are closed");
        }
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    /** Makes room for the states of {@code to} streams instead of {@code from}, and keeps what there is; or refuses, and changes nothing. */
    protected abstract void resize(int from, int to);

    /**
     * Runs a piece that has been checked.
     *
     * @param zero {@code [N]} whether the row's stream begins with zeros, whatever is stored for it
     */
    protected abstract void compute(LstmInput piece, FloatBuffer y, int[] streams, boolean[] zero);

    /** Fills {@code state} with what is stored for {@code streams}. */
    protected abstract void read(LstmState state, int[] streams);

    /** Stores {@code state} for {@code streams}. */
    protected abstract void write(LstmState state, int[] streams);

    /** Gives the memory back. */
    protected abstract void release();
}
