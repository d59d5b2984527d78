package io.github.cellfuse;

import java.util.Objects;

/**
 * Sequences that arrive in pieces, all at once: carries the states of a batch from call to call, so that feeding a sequence in two pieces
 * gives the same bits as feeding it whole. Not thread safe. Doesn't own the session,
 * which may run other batches and streams in between.
 *
 * <p>{@link LstmStreams} is for sequences that come and go one by one, with states that stay on the device.
 *
 * <p>The state that it carries is the {@linkplain LstmOutput#finalState() final state} of the last output: don't change that one's
 * arrays. When a piece is refused or fails, the stream stands where it stood before it.
 *
 * <pre>{@code
 * LstmStream stream = new LstmStream(session);
 * stream.run(firstSeconds);
 * stream.run(nextSeconds);   // goes on where the first call ended
 * }</pre>
 */
public final class LstmStream {
    private final LstmSession session;
    private LstmState state;

    /**
     * @throws InvalidInputException when the model has a reverse direction: it needs the end of a sequence first
     */
    public LstmStream(LstmSession session) {
        checkForward(session.engine().model());
        this.session = session;
    }

    static void checkForward(LstmModel model) {
        for (LstmLayer layer : model.layers()) {
            if (layer.direction() != Direction.FORWARD) {
                throw new InvalidInputException("streaming: expected a forward model, found a " + layer.direction()
                        + " one, which needs the end of a sequence first");
            }
        }
    }

    /**
     * Runs the next piece of every row from where the last one ended (zeros at first). The row count must stay the same until
     * {@link #reset()}; a row of length 0 stands still.
     *
     * @throws InvalidInputException when the piece has an initial state of its own or other rows; else as for {@link
     *     LstmSession#run(LstmInput)}
     */
    public LstmOutput run(LstmInput piece) {
        if (piece.initialState() != null) {
            throw new InvalidInputException("initial state: a stream carries its own; call set() instead");
        }
        if (state != null && state.rows() != piece.rows()) {
            throw new InvalidInputException(
                    "rows N: expected " + state.rows() + " as in the pieces before, found " + piece.rows());
        }
        LstmOutput output = session.run(state == null ? piece : piece.withInitialState(state));
        state = output.finalState();
        return output;
    }

    /** Starts new sequences: the next piece begins with states of zeros. */
    public void reset() {
        state = null;
    }

    /** The next piece begins with {@code state}, which is only read. */
    public void set(LstmState state) {
        this.state = Objects.requireNonNull(state, "state");
    }
}
