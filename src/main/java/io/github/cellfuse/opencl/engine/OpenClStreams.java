package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.spi.Sizes;
import java.nio.FloatBuffer;

/**
 * Streams whose states are in one buffer of the device, in the form that {@code kernels/lstm_state.cl} reads and
 * writes: for each layer and direction a matrix with a row for each stream that there is room for. A call selects its
 * streams by the order of rows that it gives to that kernel. A state of zeros is never written.
 */
final class OpenClStreams extends LstmStreams {
    private final OpenClSession session;
    private final ClQueue queue;
    private final Transfers transfers;
    private final int[] widths;
    /** The number of {@link #widths} that are of hidden states; those of cell states follow. */
    private final int hidden;

    private final StreamStates states;

    OpenClStreams(OpenClSession session, ClQueue queue, Transfers transfers, StreamStates states) {
        super(session.engine().model());
        this.session = session;
        this.queue = queue;
        this.transfers = transfers;
        this.states = states;
        LstmModel model = session.engine().model();
        int[] h = model.hiddenWidths(), c = model.cellWidths();
        hidden = h.length;
        widths = new int[h.length + c.length];
        System.arraycopy(h, 0, widths, 0, h.length);
        System.arraycopy(c, 0, widths, h.length, c.length);
    }

    @Override
    protected void resize(int from, int to) {
        session.whileOpen(() -> {
            ClContext context = queue.context();
            long values = 0;
            for (int width : widths) {
                values += width;
            }
            // The kernels' indices are ints.
            long bytes =
                    (long) Float.BYTES * Sizes.elements("states of " + to + " streams", RunSizes.LINE + to * values);
            long largest = context.device().capabilities().maxAllocationBytes();
            if (bytes > largest) {
                throw new InvalidInputException("states of " + to + " streams: " + bytes + " bytes exceed the "
                        + largest + " that " + context.device() + " allocates at once; use several sessions");
            }
            ClBuffer larger = context.buffer("states of streams", bytes, ClBuffer.Access.READ_WRITE);
            try {
                queue.zero(larger);
                long before = RunSizes.LINE, after = RunSizes.LINE;
                for (int width : widths) {
                    long block = (long) from * width * Float.BYTES;
                    if (from > 0) {
                        queue.copy(states.buffer(), before * Float.BYTES, larger, after * Float.BYTES, block);
                    }
                    before += (long) from * width;
                    after += (long) to * width;
                }
                queue.finish();
            } catch (RuntimeException | Error e) {
                larger.close();
                throw e;
            }
            states.replace(larger, to);
        });
    }

    @Override
    protected void compute(LstmInput piece, FloatBuffer y, int[] streams, boolean[] zero) {
        int[] places = new int[streams.length];
        for (int row = 0; row < places.length; row++) {
            places[row] = zero[row] ? -1 - streams[row] : streams[row];
        }
        session.runStreams(piece, y, states, places);
    }

    @Override
    protected void read(LstmState state, int[] streams) {
        session.whileOpen(() -> forEachStretch(
                streams,
                state,
                (at, values, first, count) ->
                        transfers.read(states.buffer(), at, count, view -> view.get(0, values, first, count))));
    }

    @Override
    protected void write(LstmState state, int[] streams) {
        session.whileOpen(() -> {
            forEachStretch(
                    streams,
                    state,
                    (at, values, first, count) ->
                            transfers.write(states.buffer(), at, count, view -> view.put(0, values, first, count)));
            queue.finish();
        });
    }

    private interface Stretch {
        void move(long at, float[] values, int first, int count);
    }

    /**
     * Visits the rows of {@code streams} in the buffer and in {@code state}. Streams with consecutive numbers are one
     * stretch.
     */
    private void forEachStretch(int[] streams, LstmState state, Stretch stretch) {
        long matrix = RunSizes.LINE;
        int first = 0;
        for (int k = 0; k < widths.length; k++) {
            float[] values = k < hidden ? state.h() : state.c();
            first = k == hidden ? 0 : first;
            int width = widths[k], longest = Math.max(1, transfers.most() / width);
            for (int row = 0, count; row < streams.length; row += count) {
                count = 1;
                while (row + count < streams.length
                        && count < longest
                        && streams[row + count] == streams[row] + count) {
                    count++;
                }
                stretch.move(matrix + (long) streams[row] * width, values, first + row * width, count * width);
            }
            matrix += (long) states.capacity() * width;
            first += streams.length * width;
        }
    }

    @Override
    protected void release() {
        session.forget(states);
        states.close();
    }
}
