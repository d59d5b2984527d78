package io.github.cellfuse.spi;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmStreams;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The streams of a session whose device has no memory of its own: a call gathers the states of its rows in host memory.
 */
public final class HostStreams extends LstmStreams {
    private final LstmSession session;
    /** By stream: its hidden and its cell states, layer after layer. */
    private float[][] hidden = {}, cell = {};

    public HostStreams(LstmSession session) {
        super(session.engine().model());
        this.session = session;
    }

    @Override
    protected void resize(int from, int to) {
        hidden = Arrays.copyOf(hidden, to);
        cell = Arrays.copyOf(cell, to);
        LstmModel model = session.engine().model();
        int h = Math.toIntExact(model.hiddenValuesBelow(model.layerCount()));
        int c = Math.toIntExact(model.cellValuesBelow(model.layerCount()));
        for (int stream = from; stream < to; stream++) {
            hidden[stream] = new float[h];
            cell[stream] = new float[c];
        }
    }

    @Override
    protected void compute(LstmInput piece, FloatBuffer y, int[] streams, boolean[] zero) {
        for (int row = 0; row < streams.length; row++) {
            if (zero[row]) {
                Arrays.fill(hidden[streams[row]], 0);
                Arrays.fill(cell[streams[row]], 0);
            }
        }
        LstmModel model = session.engine().model();
        LstmState before = LstmState.zeros(model, streams.length), after = LstmState.zeros(model, streams.length);
        read(before, streams);
        session.run(
                piece.withInitialState(before), new LstmOutput(piece.layout(), piece.rows(), piece.steps(), y, after));
        write(after, streams);
    }

    @Override
    protected void read(LstmState state, int[] streams) {
        LstmModel model = session.engine().model();
        forEachRow(
                model.hiddenWidths(),
                streams,
                (stream, at, row, width) -> System.arraycopy(hidden[stream], at, state.h(), row, width));
        forEachRow(
                model.cellWidths(),
                streams,
                (stream, at, row, width) -> System.arraycopy(cell[stream], at, state.c(), row, width));
    }

    @Override
    protected void write(LstmState state, int[] streams) {
        LstmModel model = session.engine().model();
        forEachRow(
                model.hiddenWidths(),
                streams,
                (stream, at, row, width) -> System.arraycopy(state.h(), row, hidden[stream], at, width));
        forEachRow(
                model.cellWidths(),
                streams,
                (stream, at, row, width) -> System.arraycopy(state.c(), row, cell[stream], at, width));
    }

    private interface RowCopy {
        void copy(int stream, int at, int row, int width);
    }

    /**
     * Calls {@code copy} for each layer and each stream with two offsets: of its values in the stream's array, and in
     * the array of a {@link LstmState}.
     */
    private static void forEachRow(int[] widths, int[] streams, RowCopy copy) {
        int at = 0;
        for (int width : widths) {
            for (int row = 0; row < streams.length; row++) {
                copy.copy(streams[row], at, at * streams.length + row * width, width);
            }
            at += width;
        }
    }

    @Override
    protected void release() {
        hidden = cell = new float[0][];
    }
}
