package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.spi.RowOrder;
import java.nio.FloatBuffer;

/** Copies one batch to the device and back, between the caller's layout and order of rows and those of the device. */
final class BatchTransfer {
    private static final float[] ZEROS = new float[1024];

    /** 256 KiB: enough for a copy to run at full speed, and enough pieces for all cores. */
    private static final int STRETCH_FLOATS = 1 << 16;

    private final Transfers transfers;
    private final LstmInput batch;
    private final RunSizes run;
    private final RowOrder order;

    BatchTransfer(Transfers transfers, LstmInput batch, RunSizes run) {
        this.transfers = transfers;
        this.batch = batch;
        this.run = run;
        order = run.order();
    }

    /** Writes x to {@code target [T,rowPitch,stride]}. Rows without a step in a slot become zeros. */
    void uploadInput(ClBuffer target) {
        uploadInput(transfers, target, 1, run.steps());
    }

    /** Writes the slots of x from {@code firstSlot} to {@code lastSlot} in the way of {@code mover}. */
    void uploadInput(Mover mover, ClBuffer target, int firstSlot, int lastSlot) {
        int width = run.model().inputSize(), stride = run.inputStride();
        forPieces(
                mover,
                stride,
                firstSlot,
                lastSlot,
                (first, rows) -> mover.write(
                        target,
                        (long) first * stride,
                        rows * stride,
                        view -> forStretches(mover, first, rows, stride, (slot, position, count) -> {
                            int at = (row(slot, position) - first) * stride;
                            int live = live(slot, position, count), step = stepRows(live, stride == width);
                            for (int k = 0; k < live; k += step) {
                                int from = batch.offset(order.row(position + k), slot - 1, width);
                                view.put(at + k * stride, batch.x(), from, step * width);
                            }
                            zero(view, at + live * stride, at + count * stride);
                        })));
    }

    /** Writes the initial states {@code [LINE | h: L·D,N,P | c: L·D,N,H]}, if there are any. */
    void uploadState(ClBuffer target) {
        batch.initialState().ifPresent(initial -> {
            transfers.write(target, run.firstHidden(0), initial.h());
            transfers.write(target, run.firstCell(0), initial.c());
        });
    }

    /**
     * Reads the final states {@code [LINE | h: L·D,N,P | c: L·D,N,H]} and waits for the run to end.
     *
     * @return whether the run is complete: false if cooperative work-items gave up waiting
     */
    boolean downloadState(ClBuffer source, LstmState state) {
        long all = run.stateDimensions()[0];
        float[] gaveUp = new float[1];
        if (all <= transfers.most()) {
            transfers.read(source, 0, (int) all, view -> {
                gaveUp[0] = view.get(0);
                view.get(run.firstHidden(0), state.h());
                view.get(run.firstCell(0), state.c());
            });
        } else {
            transfers.read(source, 0, gaveUp);
            transfers.read(source, run.firstHidden(0), state.h());
            transfers.read(source, run.firstCell(0), state.c());
        }
        return gaveUp[0] == 0;
    }

    /** Reads y from {@code history [T+2,rowPitch,stride]}. Steps past a row's length become zeros. */
    void downloadOutput(ClBuffer history, FloatBuffer y) {
        downloadOutput(transfers, history, y, 1, run.steps());
    }

    /** Reads the slots of y from {@code firstSlot} to {@code lastSlot} in the way of {@code mover}. */
    void downloadOutput(Mover mover, ClBuffer history, FloatBuffer y, int firstSlot, int lastSlot) {
        int width = run.model().outputSize(),
                stride = run.historyStride(run.model().last());
        forPieces(mover, stride, firstSlot, lastSlot, (first, rows) -> {
            // The history's slot 0 is before the first step.
            long from = ((long) run.rowPitch() + first) * stride;
            mover.read(
                    history,
                    from,
                    rows * stride,
                    view -> forStretches(mover, first, rows, stride, (slot, position, count) -> {
                        int at = (row(slot, position) - first) * stride;
                        int live = live(slot, position, count), step = stepRows(live, stride == width);
                        for (int k = 0; k < live; k += step) {
                            int to = batch.offset(order.row(position + k), slot - 1, width);
                            y.put(to, view, at + k * stride, step * width);
                        }
                        for (int k = live, last = Math.min(count, order.rows() - position); k < last; k++) {
                            int to = batch.offset(order.row(position + k), slot - 1, width);
                            zero(y, to, to + width);
                        }
                    }));
        });
    }

    private interface Piece {
        void run(int firstRow, int rows);
    }

    /**
     * Divides the rows of some slots of {@code [T,rowPitch, width]}, with padding, into pieces that fit one transfer.
     */
    private void forPieces(Mover mover, int width, int firstSlot, int lastSlot, Piece piece) {
        if (width > mover.most()) {
            throw new InvalidInputException("features of a row and step: expected at most " + mover.most()
                    + ", the limit of one transfer, found " + width);
        }
        int end = lastSlot * run.rowPitch(), most = mover.most() / width;
        for (int first = (firstSlot - 1) * run.rowPitch(), count; first < end; first += count) {
            count = Math.min(most, end - first);
            piece.run(first, count);
        }
    }

    private interface Stretch {
        void copy(int slot, int position, int count);
    }

    /** Divides {@code rows} rows of {@code [T·rowPitch, width]} into stretches within a slot and copies them. */
    private void forStretches(Mover mover, int first, int rows, int width, Stretch stretch) {
        int pitch = run.rowPitch(), longest = Math.min(pitch, Math.max(1, STRETCH_FLOATS / width));
        int perSlot = (pitch + longest - 1) / longest;
        int firstSlot = first / pitch, lastSlot = (first + rows - 1) / pitch;
        mover.forEach((lastSlot - firstSlot + 1) * perSlot, (long) rows * width, k -> {
            int slot = firstSlot + k / perSlot, position = k % perSlot * longest;
            int from = Math.max(first, slot * pitch + position);
            int to = Math.min(first + rows, slot * pitch + Math.min(pitch, position + longest));
            if (from < to) {
                stretch.copy(slot + 1, from - slot * pitch, to - from);
            }
        });
    }

    /** Returns the row of {@code [T·rowPitch]}. */
    private int row(int slot, int position) {
        return (slot - 1) * run.rowPitch() + position;
    }

    /** Returns how many of {@code count} rows have a step in {@code slot}. */
    private int live(int slot, int position, int count) {
        return Math.max(0, Math.min(count, order.active(slot) - position));
    }

    /**
     * Returns how many rows one call may copy: all rows if the caller's tensor has them in the device's order and
     * without padding, otherwise one.
     */
    private int stepRows(int rows, boolean dense) {
        return dense && batch.layout() == Layout.TIME_MAJOR && order.isCallersOrder() ? Math.max(1, rows) : 1;
    }

    private static void zero(FloatBuffer target, int from, int to) {
        for (int at = from; at < to; at += ZEROS.length) {
            target.put(at, ZEROS, 0, Math.min(ZEROS.length, to - at));
        }
    }
}
