package io.github.cellfuse.verify;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.spi.CellListener;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.spi.LayerTrace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares what happens inside the cells of one layer with the twin, step by step as it arrives, and keeps the judged
 * rows for the comparison with double precision. Belongs to one run.
 */
final class CellComparison implements CellListener {
    /** Values of one quantity that the twin computes at once: 16 MiB. */
    private static final int PIECE = 1 << 22;

    private final LstmLayer layer;
    private final int index;
    private final LstmInput input;
    private final int[] lengths;
    /** By direction. */
    private final List<CellTwin> twins;

    private final List<CellStates> states = new ArrayList<>();
    private final List<Map<CellValue, StepRanges>> tallies = new ArrayList<>();
    private final List<Optional<CellFault>> faults = new ArrayList<>();
    private final List<CellValue> quantities;
    private final JudgedCells judged;

    /**
     * Prepares the comparison.
     *
     * @param model the layer by itself
     * @param index the layer's index in the whole model
     * @param twins by direction
     * @param rows the judged rows
     */
    CellComparison(LstmModel model, int index, LstmInput input, List<CellTwin> twins, int[] rows) {
        this.layer = model.layer(0);
        this.index = index;
        this.input = input;
        this.twins = twins;
        lengths = input.lengths();
        // Without a projection, m is h.
        quantities = Arrays.stream(CellValue.values())
                .filter(quantity -> quantity != CellValue.UNPROJECTED || layer.hasProjection())
                .toList();
        for (int direction = 0; direction < layer.directionCount(); direction++) {
            states.add(new CellStates(model, direction, input));
            Map<CellValue, StepRanges> own = new EnumMap<>(CellValue.class);
            faults.add(Optional.empty());
            quantities.forEach(quantity -> own.put(quantity, new StepRanges(input.steps())));
            tallies.add(own);
        }
        judged = new JudgedCells(layer, quantities, rows, input.steps());
    }

    @Override
    public void onSteps(CellTrace trace) {
        int perPiece = Math.max(1, PIECE / (trace.rows() * layer.hiddenSize()));
        boolean reverse = layer.direction().isReverse(trace.direction());
        for (int done = 0; done < trace.steps(); done += perPiece) {
            int count = Math.min(perPiece, trace.steps() - done);
            int first = reverse ? trace.steps() - done - count : done;
            piece(trace, first, count, reverse);
        }
    }

    /** A cell; {@code order} counts the steps of a piece in running order. */
    private record Cell(int row, int time, int order) {}

    /** Compares {@code count} steps from the {@code first} of a trace on. */
    private void piece(CellTrace trace, int first, int count, boolean reverse) {
        List<Cell> cells = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            int time = trace.firstStep() + (reverse ? first + count - 1 - k : first + k);
            for (int row = 0; row < trace.rows(); row++) {
                if (time < lengths[row]) {
                    cells.add(new Cell(row, time, k));
                }
            }
        }
        int width = layer.inputSize();
        float[] x = new float[cells.size() * width];
        float[] h = new float[cells.size() * layer.stateSize()], c = new float[cells.size() * layer.hiddenSize()];
        CellStates before = states.get(trace.direction());
        for (int k = 0; k < cells.size(); k++) {
            Cell cell = cells.get(k);
            input.x().get(input.offset(cell.row, cell.time, width), x, k * width, width);
            before.get(cell.row, h, c, k);
            before.set(cell.row, trace.of(CellValue.HIDDEN_STATE), trace.of(CellValue.CELL_STATE), place(trace, cell));
        }
        if (!cells.isEmpty()) {
            LayerTrace twin = twins.get(trace.direction()).steps(cells.size(), x, h, c);
            Optional<CellFault> fault = compare(trace, cells, twin, new Before(x, h, c));
            int direction = trace.direction();
            faults.set(direction, faults.get(direction).or(() -> fault));
        }
    }

    /** Returns the place of a cell in a trace {@code [steps,N]}. */
    private static int place(CellTrace trace, Cell cell) {
        return (cell.time - trace.firstStep()) * trace.rows() + cell.row;
    }

    /** What the steps of several cells begin with, one cell after the other. */
    private record Before(float[] x, float[] h, float[] c) {}

    /** Returns the first difference in running order. */
    private Optional<CellFault> compare(CellTrace trace, List<Cell> cells, LayerTrace twin, Before before) {
        CellFault first = null;
        int firstOrder = Integer.MAX_VALUE;
        for (CellValue quantity : quantities) {
            float[] found = trace.of(quantity), wanted = twin.of(quantity);
            int width = quantity.width(layer);
            StepRanges tallies = this.tallies.get(trace.direction()).get(quantity);
            for (int k = 0; k < cells.size(); k++) {
                Cell cell = cells.get(k);
                int from = place(trace, cell) * width, to = k * width;
                boolean same = tallies.of(cell.time).compare(cell.row, cell.time, width, found, from, wanted, to);
                // Within a step the quantities come in their order.
                if (!same && cell.order < firstOrder) {
                    int u = Arrays.mismatch(found, from, from + width, wanted, to, to + width);
                    firstOrder = cell.order;
                    first = fault(trace, quantity, cell, u, wanted[to + u], before, k);
                }
                judged.keep(trace.direction(), quantity, cell.row, cell.time, found, from, wanted, to);
            }
        }
        return Optional.ofNullable(first);
    }

    private CellFault fault(
            CellTrace trace, CellValue quantity, Cell cell, int unit, float wanted, Before before, int number) {
        CellOperands operands = CellOperands.of(
                layer.weights().get(trace.direction()),
                before.x,
                before.h,
                before.c,
                number,
                trace.values(),
                place(trace, cell));
        return new CellFault(
                index,
                trace.direction(),
                quantity,
                cell.time,
                cell.row,
                unit,
                operands.values().get(quantity)[unit],
                wanted,
                operands.products(quantity),
                operands.of(quantity, unit));
    }

    /** Judges a step of a judged row. */
    ErrorBound.StepJudge judge() {
        return judged;
    }

    /**
     * Returns what was found, after the device and the reference have run.
     *
     * @param strayed as in {@link CellReport}
     */
    CellReport report(long strayed) {
        List<CellReport.Quantity> results = new ArrayList<>();
        for (int direction = 0; direction < layer.directionCount(); direction++) {
            Map<CellValue, StepRanges> own = tallies.get(direction);
            judged.addTo(direction, own);
            for (CellValue quantity : quantities) {
                StepRanges steps = own.get(quantity);
                results.add(
                        new CellReport.Quantity(direction, quantity, steps.all().result(), steps.result()));
            }
        }
        return new CellReport(
                index, results, faults.stream().flatMap(Optional::stream).toList(), strayed);
    }
}
