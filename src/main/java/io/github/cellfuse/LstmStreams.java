package io.github.cellfuse;

import io.github.cellfuse.spi.SingleUser;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Many sequences that arrive in pieces. Each is a stream with its own state, which stays on the device between calls. A
 * call runs the next piece of any of the streams, in any order, and doesn't change the others. The bits are those of
 * each stream run alone.
 *
 * <pre>{@code
 * try (LstmStreams streams = session.newStreams()) {
 *     int first = streams.add(), second = streams.add();
 *     FloatBuffer y = streams.run(LstmInput.batchMajor(features, 2, 1), first, second);
 *     streams.run(LstmInput.batchMajor(more, 1, 1), second);      // first waits
 *     streams.reset(first);                                       // starts a new sequence
 *     streams.drop(second);
 * }
 * }</pre>
 *
 * <p>Each stream has a small integer id. Ids of dropped streams are reused. Streams belong to their session and, like
 * the session, to one thread. The session may run batches in between. {@linkplain LstmSession#close() Closing} the
 * session closes its streams. Closing twice has no effect.
 *
 * <p>If all sequences of a batch advance together, you don't need streams: run each piece
 * {@linkplain LstmInput#withInitialState with} the final state of the previous one.
 */
public abstract class LstmStreams implements AutoCloseable {
    private static final int FEWEST = 16;

    private final LstmModel model;
    private final SingleUser user = new SingleUser("streams belong to one thread at a time, like their session");
    /** By id: the streams that exist, and those whose state is zeros regardless of what is stored. */
    private final BitSet alive = new BitSet(), fresh = new BitSet();

    private int capacity;
    private boolean closed;

    /**
     * Creates the streams of {@code model}: none at first.
     *
     * @throws InvalidInputException if the model has a reverse direction, which needs the end of a sequence first
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
     * @return its id
     * @throws InvalidInputException if the device can't hold the states of one more stream; the other streams don't
     *     change
     */
    public final int add() {
        return user.get(this::addAlone);
    }

    private int addAlone() {
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

    /** Removes streams; their ids may be reused. */
    public final void drop(int... streams) {
        user.use(() -> {
            check(streams);
            for (int stream : streams) {
                alive.clear(stream);
            }
        });
    }

    /** Starts new sequences: sets the states of these streams to zeros. */
    public final void reset(int... streams) {
        user.use(() -> {
            check(streams);
            for (int stream : streams) {
                fresh.set(stream);
            }
        });
    }

    /** Returns the number of streams. */
    public final int count() {
        return alive.cardinality();
    }

    /**
     * Runs the next piece of some streams.
     *
     * @param piece row {@code r} continues stream {@code streams[r]}. Its {@code lengths} may be any, including 0; it
     *     has no initial state.
     * @param y receives the outputs, with the shape of {@link LstmOutput#y()}
     * @param streams {@code [N]} different ids
     * @throws InvalidInputException if a stream doesn't exist or is given twice, or the piece doesn't fit; no stream
     *     has changed
     * @throws CellFuseException if the device fails; y and the states of these streams are then undefined
     * @throws IllegalStateException if the streams, the session or the engine are closed, or if another thread is using
     *     the streams or the session
     */
    public final void run(LstmInput piece, FloatBuffer y, int... streams) {
        user.use(() -> runAlone(piece, y, streams));
    }

    private void runAlone(LstmInput piece, FloatBuffer y, int[] streams) {
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

    /**
     * Runs the next piece of some streams and returns its outputs in new memory: {@code y [N,T,P]} or {@code [T,N,P]}
     * by the layout of the piece.
     */
    public final FloatBuffer run(LstmInput piece, int... streams) {
        FloatBuffer y =
                FloatBuffer.allocate(Sizes.elements("output [N,T,P]", piece.rows(), piece.steps(), model.outputSize()));
        run(piece, y, streams);
        return y;
    }

    /**
     * Returns the states of {@code streams}, for example to save them or to move them to another device. Row {@code r}
     * is the state of {@code streams[r]}.
     */
    public final LstmState gather(int... streams) {
        return user.get(() -> gatherAlone(streams));
    }

    private LstmState gatherAlone(int[] streams) {
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

    /** Sets the states of {@code streams}: row {@code r} of {@code state} is copied to {@code streams[r]}. */
    public final void scatter(LstmState state, int... streams) {
        user.use(() -> {
            check(streams);
            state.check(model, streams.length);
            write(state, streams);
            for (int stream : streams) {
                fresh.clear(stream);
            }
        });
    }

    private void check(int[] streams) {
        checkOpen();
        BitSet seen = new BitSet();
        for (int stream : streams) {
            if (stream < 0 || !alive.get(stream)) {
                throw new InvalidInputException("streams: expected ids of added streams, found " + stream);
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
        user.use(() -> {
            if (!closed) {
                closed = true;
                release();
            }
        });
    }

    /**
     * Makes room for the states of {@code to} streams instead of {@code from}, and keeps the present states. If it
     * throws, nothing has changed.
     */
    protected abstract void resize(int from, int to);

    /**
     * Runs a piece that has been checked.
     *
     * @param zero {@code [N]} whether the row's stream starts from zeros, regardless of what is stored
     */
    protected abstract void compute(LstmInput piece, FloatBuffer y, int[] streams, boolean[] zero);

    /** Copies the stored states of {@code streams} to {@code state}. */
    protected abstract void read(LstmState state, int[] streams);

    /** Stores {@code state} as the states of {@code streams}. */
    protected abstract void write(LstmState state, int[] streams);

    /** Frees the memory. */
    protected abstract void release();
}
