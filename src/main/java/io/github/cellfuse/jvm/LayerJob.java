package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.spi.CellTrace;
import io.github.cellfuse.spi.RowOrder;
import java.util.List;
import java.util.Optional;

/**
 * What all tasks of a layer share in one run.
 *
 * @param model the whole model
 * @param layer index of the layer in it
 * @param order the rows, sorted by length
 * @param groups number of groups that the rows are divided into; each is one task in each direction
 * @param history receives the hidden states {@code [T+2][N·D·P]} by time slot and by position in {@code order}
 * @param initialState the states of the whole model before the first step; empty for zeros
 * @param finalState receives the states of the whole model after the last step
 * @param traces receives what the cells of each direction compute; empty if nobody wants to know
 */
record LayerJob(
        LstmModel model,
        int layer,
        RowOrder order,
        int groups,
        float[][] history,
        Optional<LstmState> initialState,
        LstmState finalState,
        List<CellTrace> traces) {

    /** Returns the layer's sizes. */
    LstmLayer sizes() {
        return model.layer(layer);
    }

    /** Returns where the hidden states {@code [N,P]} of a direction begin in those of the whole model. */
    int firstHidden(int direction) {
        long below = model.hiddenValuesBelow(layer) + (long) direction * sizes().stateSize();
        return Math.toIntExact(below * order.rows());
    }

    /** Returns where the cell states {@code [N,H]} of a direction begin in those of the whole model. */
    int firstCell(int direction) {
        long below = model.cellValuesBelow(layer) + (long) direction * sizes().hiddenSize();
        return Math.toIntExact(below * order.rows());
    }
}
