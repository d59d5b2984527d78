package io.github.cellfuse.verify;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.reference.LstmCell;
import io.github.cellfuse.spi.CellValue;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of the judged rows: kept while the device runs, and compared with double precision when the reference
 * comes to them. Rows may be judged by different threads.
 */
final class JudgedCells implements ErrorBound.StepJudge {
    private final LstmLayer layer;
    private final int[] rows;
    /** The place of each judged row in {@link #rows}. */
    private final Map<Integer, Integer> places = new HashMap<>();
    /** By place and direction. */
    private final List<List<Map<CellValue, Kept>>> kept = new ArrayList<>();

    /**
     * The values {@code [T,width]} of one quantity of a row and direction; the twin's are the same array until one
     * differs.
     */
    private static final class Kept {
        final float[] device;
        float[] twin;
        final StepRanges tallies;

        Kept(int steps, int width) {
            device = twin = new float[steps * width];
            tallies = new StepRanges(steps);
        }

        void put(int to, float[] found, int from, float[] wanted, int wantedFrom, int width) {
            System.arraycopy(found, from, device, to, width);
            for (int u = 0; twin == device && u < width; u++) {
                if (!Tally.same(found[from + u], wanted[wantedFrom + u])) {
                    twin = device.clone();
                }
            }
            if (twin != device) {
                System.arraycopy(wanted, wantedFrom, twin, to, width);
            }
        }
    }

    JudgedCells(LstmLayer layer, List<CellValue> quantities, int[] rows, int steps) {
        this.layer = layer;
        this.rows = rows;
        for (int place = 0; place < rows.length; place++) {
            places.put(rows[place], place);
            List<Map<CellValue, Kept>> directions = new ArrayList<>();
            for (int direction = 0; direction < layer.directionCount(); direction++) {
                Map<CellValue, Kept> own = new EnumMap<>(CellValue.class);
                quantities.forEach(quantity -> own.put(quantity, new Kept(steps, quantity.width(layer))));
                directions.add(own);
            }
            kept.add(directions);
        }
    }

    /**
     * Keeps the values of a cell if its row is judged.
     *
     * @param from where the device's values begin in {@code found}
     * @param wantedFrom where the twin's begin in {@code wanted}
     */
    void keep(
            int direction,
            CellValue quantity,
            int row,
            int time,
            float[] found,
            int from,
            float[] wanted,
            int wantedFrom) {
        Integer place = places.get(row);
        if (place != null) {
            int width = quantity.width(layer);
            Kept own = kept.get(place).get(direction).get(quantity);
            own.put(time * width, found, from, wanted, wantedFrom, width);
        }
    }

    /** {@inheritDoc} Row {@code place} of the reference's batch is the judged row with this place. */
    @Override
    public void judge(int place, int ignored, int direction, int time, LstmCell.Step step, StepErrors errors) {
        int units = layer.hiddenSize();
        kept.get(place).get(direction).forEach((quantity, own) -> {
            int width = quantity.width(layer);
            // The pre-activations of all gates share an array.
            int first = quantity.isPreactivation() ? quantity.ordinal() * units : 0;
            double[] exact = exact(quantity, step, errors);
            TensorErrors bounds = errors.of(quantity);
            for (int u = 0; u < width; u++) {
                int at = time * width + u;
                own.tallies
                        .of(time)
                        .judge(
                                rows[place],
                                time,
                                u,
                                own.device[at],
                                own.twin[at],
                                exact[first + u],
                                bounds.limit(first + u));
            }
        });
    }

    private static double[] exact(CellValue quantity, LstmCell.Step step, StepErrors errors) {
        return switch (quantity) {
            case INPUT_PREACTIVATION, FORGET_PREACTIVATION, CANDIDATE_PREACTIVATION, OUTPUT_PREACTIVATION -> errors.a();
            case INPUT_GATE -> step.i();
            case FORGET_GATE -> step.f();
            case CANDIDATE -> step.g();
            case OUTPUT_GATE -> step.o();
            case CELL_STATE -> step.c();
            case UNPROJECTED -> step.m();
            case HIDDEN_STATE -> step.h();
        };
    }

    /** Adds what all rows have found to {@code tallies}. */
    void addTo(int direction, Map<CellValue, StepRanges> tallies) {
        for (List<Map<CellValue, Kept>> row : kept) {
            row.get(direction).forEach((quantity, own) -> tallies.get(quantity).add(own.tallies));
        }
    }
}
