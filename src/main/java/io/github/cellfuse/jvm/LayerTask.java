package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.RowOrder;
import java.util.Arrays;

/**
 * Runs a group of rows through all time steps of one direction of one layer. Groups and directions write disjoint parts
 * of the history and of the final state, so the tasks of a layer run in parallel without locks.
 */
final class LayerTask implements Runnable {
    private final LayerJob job;
    private final PackedWeights weights;
    private final LayerInput input;
    private final float[][] history;
    private final RowOrder order;
    private final boolean reverse;
    /** Where the states of this layer and direction begin: {@code [N,P]} and {@code [N,H]}. */
    private final int firstHidden, firstCell;

    /** Values of a row of the history: {@code D·P}. */
    private final int width;

    /** The column of this direction in a row of the history. */
    private final int column;

    /**
     * Positions (in the sorted order) of the group's rows: every groups-th one, so that each group gets long and short
     * rows.
     */
    private final int[] positions;

    private final int[] xOffset;
    private final int[] hOffset;
    private final float[][] c;
    private final CellStep arithmetic;
    /** Receives what the cells compute; null if nobody wants to know. */
    private final CellTrace trace;

    private int slot;
    /** {@code o⊙tanh(c)} before the projection; null without one. */
    private final RowValues unprojected;

    /**
     * @param group the group of rows, from 0 to {@code job.groups() - 1}
     * @param input the layer's input; belongs to this task
     */
    LayerTask(LayerJob job, int direction, int group, PackedWeights weights, LayerInput input) {
        this.job = job;
        this.weights = weights;
        this.input = input;
        history = job.history();
        order = job.order();
        reverse = job.sizes().direction().isReverse(direction);
        firstHidden = job.firstHidden(direction);
        firstCell = job.firstCell(direction);
        width = job.sizes().outputSize();
        column = direction * weights.outputs();
        int groups = job.groups();
        positions = new int[(order.rows() - group + groups - 1) / groups];
        Arrays.setAll(positions, j -> group + j * groups);
        xOffset = new int[positions.length];
        hOffset = new int[positions.length];
        c = new float[positions.length][weights.cellWidth()];
        trace = job.traces().isEmpty() ? null : job.traces().get(direction);
        GeneralCell cell = trace == null
                ? weights.general()
                : GeneralCell.recorded(job.sizes().weights().get(direction), this::record);
        arithmetic = weights.newStep(positions.length, cell);
        unprojected = weights.projection() == null ? null : unprojected(positions.length, weights.units());
    }

    private static RowValues unprojected(int rows, int units) {
        int[] offsets = new int[rows];
        Arrays.setAll(offsets, j -> j * units);
        return new RowValues(new float[rows * units], offsets);
    }

    @Override
    public void run() {
        loadState();
        int steps = order.steps();
        int count = reverse ? 0 : positions.length;
        for (int s = 1; s <= steps; s++) {
            int slot = reverse ? steps + 1 - s : s;
            // The group's rows with a step here are its first ones. Their number decreases with time in the forward
            // direction and increases in reverse.
            while (count > 0 && positions[count - 1] >= order.active(slot)) {
                count--;
            }
            while (count < positions.length && positions[count] < order.active(slot)) {
                count++;
            }
            if (count > 0) {
                step(slot, count);
            }
        }
        storeState();
    }

    private void step(int slot, int count) {
        this.slot = slot;
        input.load(slot, positions, count);
        float[] previous = history[reverse ? slot + 1 : slot - 1];
        for (int j = 0; j < count; j++) {
            xOffset[j] = input.offset(j);
            hOffset[j] = positions[j] * width + column;
        }
        RowValues x = new RowValues(input.values(), xOffset), h = new RowValues(previous, hOffset);
        if (unprojected == null) {
            arithmetic.step(count, x, h, c, new RowValues(history[slot], hOffset));
        } else {
            arithmetic.step(count, x, h, c, unprojected);
            project(slot, count);
        }
        if (trace != null) {
            recordHidden(count);
        }
    }

    private void record(
            int row,
            int unit,
            float[] products,
            int at,
            int stride,
            float i,
            float f,
            float g,
            float c,
            float o,
            float m) {
        int to = ((slot - 1) * order.rows() + order.row(positions[row])) * weights.units() + unit;
        trace.of(CellValue.INPUT_PREACTIVATION)[to] = products[at];
        trace.of(CellValue.FORGET_PREACTIVATION)[to] = products[at + stride];
        trace.of(CellValue.CANDIDATE_PREACTIVATION)[to] = products[at + 2 * stride];
        trace.of(CellValue.OUTPUT_PREACTIVATION)[to] = products[at + 3 * stride];
        trace.of(CellValue.INPUT_GATE)[to] = i;
        trace.of(CellValue.FORGET_GATE)[to] = f;
        trace.of(CellValue.CANDIDATE)[to] = g;
        trace.of(CellValue.CELL_STATE)[to] = c;
        trace.of(CellValue.OUTPUT_GATE)[to] = o;
        trace.of(CellValue.UNPROJECTED)[to] = m;
    }

    private void recordHidden(int count) {
        for (int j = 0; j < count; j++) {
            int to = ((slot - 1) * order.rows() + order.row(positions[j])) * weights.outputs();
            System.arraycopy(
                    history[slot],
                    positions[j] * width + column,
                    trace.of(CellValue.HIDDEN_STATE),
                    to,
                    weights.outputs());
        }
    }

    /** Computes {@code h = S·(o⊙tanh(c))}, the same chain as in {@code kernels/hidden_projection.cl}. */
    private void project(int slot, int count) {
        float[] sums = new float[weights.outputs()];
        for (int j = 0; j < count; j++) {
            Arrays.fill(sums, 0.0f);
            for (int k = 0; k < weights.units(); k++) {
                float[] s = weights.projection()[k];
                float m = unprojected.values()[j * weights.units() + k];
                for (int p = 0; p < sums.length; p++) {
                    sums[p] = Math.fma(m, s[p], sums[p]);
                }
            }
            System.arraycopy(sums, 0, history[slot], positions[j] * width + column, sums.length);
        }
    }

    private void loadState() {
        int outputs = weights.outputs(), units = weights.units();
        for (int j = 0; j < positions.length; j++) {
            int at = positions[j] * width + column;
            float[] before = history[order.slotBefore(positions[j], reverse)];
            if (job.initialState().isEmpty()) {
                Arrays.fill(before, at, at + outputs, 0.0f);
            } else {
                LstmState initial = job.initialState().get();
                int row = order.row(positions[j]);
                System.arraycopy(initial.h(), firstHidden + row * outputs, before, at, outputs);
                System.arraycopy(initial.c(), firstCell + row * units, c[j], 0, units);
            }
        }
    }

    private void storeState() {
        int outputs = weights.outputs(), units = weights.units();
        for (int j = 0; j < positions.length; j++) {
            int row = order.row(positions[j]);
            float[] after = history[order.slotAfter(positions[j], reverse)];
            int at = positions[j] * width + column;
            System.arraycopy(after, at, job.finalState().h(), firstHidden + row * outputs, outputs);
            System.arraycopy(c[j], 0, job.finalState().c(), firstCell + row * units, units);
        }
    }
}
