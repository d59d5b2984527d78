package io.github.cellfuse.opencl;

import io.github.cellfuse.Activation;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;

/**
 * The build options that make a layer's cell: none for an ordinary LSTM. {@code kernels/lstm_cell.cl} has the macros.
 *
 * @param options beginning with a space where there are any
 */
record CellOptions(String options) {
    /** The ordinary LSTM's. */
    static final CellOptions ORDINARY = new CellOptions("");

    static CellOptions of(LstmLayer layer) {
        CellEquations first = layer.weights().get(0).equations();
        CellEquations last = layer.weights().get(layer.directionCount() - 1).equations();
        StringBuilder options = new StringBuilder();
        if (!first.isOrdinary() || !last.isOrdinary()) {
            options.append(" -D EQUATIONS=").append(initialiser(first));
        }
        if (!first.equals(last)) {
            options.append(" -D REVERSE_EQUATIONS=").append(initialiser(last));
        }
        if (layer.hasPeepholes()) {
            options.append(" -D PEEPHOLES=1");
        }
        return options.isEmpty() ? ORDINARY : new CellOptions(options.toString());
    }

    /** Without spaces, which would end the option. */
    private static String initialiser(CellEquations e) {
        return "{" + function(e.gate()) + function(e.candidate()) + function(e.hidden())
                + (e.clips() ? literal(e.clip()) : "INFINITY") + "," + (e.coupled() ? 1 : 0) + "}";
    }

    private static String function(Activation activation) {
        return activation.function().ordinal() + "," + literal(activation.alpha()) + "," + literal(activation.beta())
                + ",";
    }

    /** In hexadecimal, which no rounding and no locale touches. */
    private static String literal(float value) {
        return Float.toHexString(value) + "f";
    }
}
