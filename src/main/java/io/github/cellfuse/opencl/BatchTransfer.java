package io.github.cellfuse.opencl;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.RowOrder;
import io.github.cellfuse.cl.ClBuffer;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** The way of one batch to the device and back: between the caller's layout and order of rows and the device's. */
final class BatchTransfer {
    private static final float[] ZEROS = new float[1024];

    /** 1 MiB: copying less takes no longer than waking another core. */
    private static final int PARALLEL_FLOATS = 1 << 18;

    private final Transfers transfers;
    private final LstmInput batch;
    private final Run run;
    private final RowOrder order;

    BatchTransfer(Transfers transfers, LstmInput batch, Run run) {
        this.transfers = transfers;
        this.batch = batch;
        this.run = run;
        order = run.order();
    }

    /** Writes x to {@code target [T,rowPitch,I]}; rows without a step in a slot become zeros. */
    void uploadInput(ClBuffer target) {
        int width = run.model().inputSize();
        forPieces(
                width,
                (first, rows) -> transfers.write(
                        target,
                        (long) first * width,
                        rows * width,
                        view -> forRows(rows, width, r -> {
                            int slot = slot(first + r), position = position(first + r);
                            if (position < order.active(slot)) {
                                int from = batch.offset(order.row(position), slot - 1, width);
                                view.put(r * width, batch.x(), from, width);
                            } else {
                                zero(view, r * width, (r + 1) * width);
                            }
                        })));
    }

    /** Writes the initial states {@code [L·D,N,P]} and {@code [L·D,N,H]}. */
    void uploadState(ClBuffer hidden, ClBuffer cell) {
        LstmState initial = batch.initialState();
        if (initial == null) {
            long rows = (long) run.model().layerCount() * run.model().directionCount() * run.rows();
            transfers.zero(hidden, rows * run.model().stateSize());
            transfers.zero(cell, rows * run.model().hiddenSize());
        } else {
            transfers.write(hidden, initial.h());
            transfers.write(cell, initial.c());
        }
    }

    /** Reads y from {@code history [T+2,rowPitch,D·P]} and the final states. */
    void download(ClBuffer history, ClBuffer hidden, ClBuffer cell, LstmOutput output) {
        int width = run.model().outputSize();
        forPieces(width, (first, rows) -> {
            // The history's slot 0 stands before the first step.
            long from = ((long) run.rowPitch() + first) * width;
            transfers.read(
                    history,
                    from,
                    rows * width,
                    view -> forRows(rows, width, r -> {
                        int slot = slot(first + r), position = position(first + r);
                        if (position >= order.rows()) {
                            return;
                        }
                        int to = batch.offset(order.row(position), slot - 1, width);
                        if (position < order.active(slot)) {
                            output.y().put(to, view, r * width, width);
                        } else {
                            zero(output.y(), to, to + width);
                        }
                    }));
        });
        transfers.read(hidden, output.finalState().h());
        transfers.read(cell, output.finalState().c());
    }

    private interface Piece {
        void run(int firstRow, int rows);
    }

    /** Goes through the rows of all steps, {@code [T·rowPitch, width]}, in pieces that one transfer can hold. */
    private void forPieces(int width, Piece piece) {
        if (width > transfers.most()) {
            throw new InvalidInputException("features of a row and step: expected at most " + transfers.most()
                    + ", what one transfer holds, found " + width);
        }
        int rows = run.steps() * run.rowPitch(), most = transfers.most() / width;
        for (int first = 0, count; first < rows; first += count) {
            count = Math.min(most, rows - first);
            piece.run(first, count);
        }
    }

    /** Copies rows, on all cores where there is much to copy: the device waits for it, so its cores are free. */
    private static void forRows(int rows, int width, IntConsumer copy) {
        IntStream all = IntStream.range(0, rows);
        ((long) rows * width < PARALLEL_FLOATS ? all : all.parallel()).forEach(copy);
    }

    private int slot(int row) {
        return row / run.rowPitch() + 1;
    }

    private int position(int row) {
        return row % run.rowPitch();
    }

    private static void zero(FloatBuffer target, int from, int to) {
        for (int at = from; at < to; at += ZEROS.length) {
            target.put(at, ZEROS, 0, Math.min(ZEROS.length, to - at));
        }
    }
}
