package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.CellValue;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/**
 * What the cells of a run store on the device if the kernels are built with {@code TRACED}: some steps at a time, which
 * are copied to the listener before the next ones run. Belongs to one session.
 */
final class DeviceTrace implements AutoCloseable {
    /** The vectors of a row and unit block, in the order of {@code store_trace} in {@code kernels/lstm_cell.cl}. */
    private static final List<CellValue> VECTORS = List.of(
            CellValue.INPUT_PREACTIVATION,
            CellValue.FORGET_PREACTIVATION,
            CellValue.CANDIDATE_PREACTIVATION,
            CellValue.OUTPUT_PREACTIVATION,
            CellValue.INPUT_GATE,
            CellValue.FORGET_GATE,
            CellValue.CANDIDATE,
            CellValue.OUTPUT_GATE,
            CellValue.CELL_STATE,
            CellValue.UNPROJECTED);

    /** As many steps at a time as stay below this. */
    private static final long BYTES = 64L << 20;

    private final Transfers transfers;
    private final GrowingBuffer buffer;
    private CellListener listener;
    /** By layer: the last step that the listener has received. */
    private int[] delivered;

    private int slots;

    DeviceTrace(ClContext context, ClQueue queue, Transfers transfers) {
        this.transfers = transfers;
        buffer = new GrowingBuffer(context, queue, "values of the cells");
    }

    /** Begins the trace of a batch. */
    void begin(int layers, CellListener listener) {
        this.listener = listener;
        delivered = new int[layers];
    }

    /** Makes room for some steps of {@code run}. */
    void ensure(RunSizes run) {
        long perStep = run.model().layers().stream()
                .mapToLong(layer -> floatsOfStep(run, layer) * layer.directionCount())
                .max()
                .orElseThrow();
        slots = (int) Math.max(1, Math.min(run.longest(), BYTES / Float.BYTES / perStep));
        buffer.ensure(slots, perStep);
    }

    /** Returns the floats of a step in one direction: {@code [row_pitch,B,VECTORS,VEC]}. */
    private static long floatsOfStep(RunSizes run, LstmLayer layer) {
        return (long) run.rowPitch() * run.blocks(layer) * run.choice().step().vec() * VECTORS.size();
    }

    /** Returns how many successive steps there is room for. */
    int slots() {
        return slots;
    }

    ClBuffer buffer() {
        return buffer.get();
    }

    /** Waits for the steps from {@code first} to {@code last} of a layer and hands them to the listener. */
    void deliver(DeviceBatch batch, DeviceLayer layer, int first, int last) {
        // If work-items gave up waiting, the steps are missing, and the batch runs again with another plan.
        int begin = Math.max(first, delivered[layer.index] + 1);
        if (begin > last || gaveUp(batch)) {
            return;
        }
        for (int direction = 0; direction < layer.directions; direction++) {
            boolean reverse = direction >= layer.firstReverse;
            int longest = batch.run().longest();
            int slot = reverse ? longest + 1 - last : begin;
            listener.onSteps(read(batch, layer, direction, slot, last - begin + 1));
        }
        delivered[layer.index] = last;
    }

    private boolean gaveUp(DeviceBatch batch) {
        float[] flag = new float[1];
        if (batch.run().choice().groups().isCooperative()) {
            transfers.read(batch.buffer(DeviceTensor.ARRIVALS), 0, flag);
        }
        return flag[0] != 0;
    }

    private CellTrace read(DeviceBatch batch, DeviceLayer layer, int direction, int firstSlot, int count) {
        RunSizes run = batch.run();
        int rows = run.rows();
        CellTrace trace = CellTrace.allocate(layer.shape, layer.index, direction, firstSlot - 1, count, rows);
        Map<CellValue, float[]> values = trace.values();
        int floats = Math.toIntExact(floatsOfStep(run, layer.shape));
        int historyRow = layer.outputStride(), historySlot = run.rowPitch() * historyRow;
        for (int k = 0; k < count; k++) {
            int slot = firstSlot + k, step = k;
            long at = ((long) direction * slots + slot % slots) * floats;
            transfers.read(
                    buffer(), at, floats, view -> copyCells(run, layer, slot, view, step * rows * layer.units, values));
            transfers.read(
                    batch.buffer(DeviceTensor.history(layer.index)),
                    (long) slot * historySlot,
                    historySlot,
                    view -> copyHidden(run, layer, slot, view, direction, step * rows, values));
        }
        return trace;
    }

    /** Copies {@code [row_pitch,B,VECTORS,VEC]} of a slot to {@code [N,H]} of each quantity, from {@code to} on. */
    private static void copyCells(
            RunSizes run, DeviceLayer layer, int slot, FloatBuffer view, int to, Map<CellValue, float[]> values) {
        int vec = run.choice().step().vec(), blocks = run.blocks(layer.shape);
        for (int position = 0; position < run.order().active(slot); position++) {
            int row = to + run.order().row(position) * layer.units;
            for (int block = 0; block < blocks; block++) {
                int from = (position * blocks + block) * VECTORS.size() * vec, unit = block * vec;
                for (int q = 0; q < VECTORS.size(); q++) {
                    view.get(from + q * vec, values.get(VECTORS.get(q)), row + unit, Math.min(vec, layer.units - unit));
                }
            }
        }
    }

    /** Copies the hidden states of a slot to {@code [N,P]}, from row {@code to} on. */
    private static void copyHidden(
            RunSizes run,
            DeviceLayer layer,
            int slot,
            FloatBuffer view,
            int direction,
            int to,
            Map<CellValue, float[]> values) {
        for (int position = 0; position < run.order().active(slot); position++) {
            view.get(
                    position * layer.outputStride() + direction * layer.outputs,
                    values.get(CellValue.HIDDEN_STATE),
                    (to + run.order().row(position)) * layer.outputs,
                    layer.outputs);
        }
    }

    @Override
    public void close() {
        buffer.close();
    }
}
