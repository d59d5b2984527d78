package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The rules of LSTM, GRU and RNN: the rows are their batch, never their steps. */
final class RecurrentRules {
    private static final int X = 0, R = 2, SEQUENCE_LENS = 4;

    private RecurrentRules() {}

    static List<TensorFacts> lstm(Operation op) {
        op.expectNoRows("weights", 1, 2, 3, 7);
        return recurrent(op, 4, 2);
    }

    static List<TensorFacts> gru(Operation op) {
        op.expectNoRows("weights", 1, 2, 3);
        return recurrent(op, 3, 1);
    }

    static List<TensorFacts> rnn(Operation op) {
        op.expectNoRows("weights", 1, 2, 3);
        return recurrent(op, 1, 1);
    }

    /**
     * Returns the facts of Y and of the final states.
     *
     * @param gates the number of gates, which tells the number of units from the weights
     * @param states the number of initial states, from input 5 on
     */
    private static List<TensorFacts> recurrent(Operation op, int gates, int states) {
        boolean byRow = op.node().integer("layout", 0) != 0;
        int batch = byRow ? 0 : 1;
        Optional<RowAxis> rows = op.rows(X);
        if (rows.filter(r -> r.axis() == 1 - batch).isPresent()) {
            throw op.recurs();
        }
        if (rows.filter(r -> r.axis() == 2).isPresent()) {
            throw op.ended("combines the rows as its features");
        }
        expect(op, SEQUENCE_LENS, rows, 0);
        for (int k = 0; k < states; k++) {
            expect(op, SEQUENCE_LENS + 1 + k, rows, batch);
        }
        Optional<List<Size>> x = op.dims(X).filter(d -> d.size() == 3);
        Size n = x.map(d -> d.get(batch)).orElseGet(op::unknown),
                t = x.map(d -> d.get(1 - batch)).orElseGet(op::unknown);
        Size d = Size.of(op.node().text("direction", "forward").equals("bidirectional") ? 2 : 1);
        Optional<Size> ofWeights = op.dims(R).filter(r -> r.size() == 3).map(r -> r.get(2));
        long hidden = op.node().integer("hidden_size", 0);
        Size h = hidden > 0 ? Size.of(hidden) : ofWeights.orElseGet(op::unknown);
        TensorFacts y = TensorFacts.of(byRow ? List.of(n, t, d, h) : List.of(t, d, n, h))
                .withRows(rows.map(r -> r.movedTo(byRow ? 0 : 2)));
        TensorFacts state =
                TensorFacts.of(byRow ? List.of(n, d, h) : List.of(d, n, h)).withRows(rows.map(r -> r.movedTo(batch)));
        List<TensorFacts> all = new ArrayList<>(List.of(y));
        for (int k = 0; k < states; k++) {
            all.add(state);
        }
        return all;
    }

    /** Checks that input {@code k}, if it is given, holds the rows of X along {@code axis}. */
    private static void expect(Operation op, int k, Optional<RowAxis> rows, int axis) {
        if (op.has(k) && !op.holds(k, rows.map(r -> r.movedTo(axis)))) {
            throw rows.isEmpty() ? op.lacking(X) : op.lacking(k);
        }
    }
}
