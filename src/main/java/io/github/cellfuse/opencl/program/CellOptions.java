package io.github.cellfuse.opencl.program;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.LstmLayer;
import java.util.Locale;

/**
 * The build options that select the cell of a layer: none for an ordinary LSTM. {@code kernels/lstm_cell.cl} explains
 * the macros.
 *
 * @param options the options; if there are any, they begin with a space
 */
public record CellOptions(String options) {
    /** Always the last option. */
    private static final String PEEPHOLES = " -D PEEPHOLES=1";

    /** The options of an ordinary LSTM. */
    static final CellOptions ORDINARY = new CellOptions("");

    /** Returns the options of a layer. */
    public static CellOptions of(LstmLayer layer) {
        CellEquations first = layer.weights().get(0).equations();
        CellEquations last = layer.weights().get(layer.directionCount() - 1).equations();
        StringBuilder options = new StringBuilder();
        if (!first.isOrdinary() || !last.isOrdinary()) {
            add(options, "FIRST", first);
        }
        if (!first.equals(last)) {
            add(options, "SECOND", last);
        }
        if (layer.hasPeepholes()) {
            options.append(PEEPHOLES);
        }
        return options.isEmpty() ? ORDINARY : new CellOptions(options.toString());
    }

    /** Returns these options for cells that also store what they compute. */
    public CellOptions traced() {
        return new CellOptions(" -D TRACED=1" + options);
    }

    /** Returns the part that decides where a bias is: whether peepholes follow each. */
    CellOptions ofBias() {
        return options.endsWith(PEEPHOLES) ? new CellOptions(PEEPHOLES) : ORDINARY;
    }

    /** Returns the options of {@code lstm_cell_function}. */
    public static CellOptions of(ActivationFunction function) {
        return new CellOptions(" -D FUNCTION=" + name(function));
    }

    private static void add(StringBuilder options, String direction, CellEquations e) {
        add(options, direction + "_GATE", e.gate());
        add(options, direction + "_CANDIDATE", e.candidate());
        add(options, direction + "_HIDDEN", e.hidden());
        options.append(" -D ").append(direction).append("_CLIP=").append(e.clips() ? literal(e.clip()) : "INFINITY");
        options.append(" -D ").append(direction).append("_COUPLED=").append(e.coupled() ? 1 : 0);
    }

    private static void add(StringBuilder options, String macro, Activation activation) {
        options.append(" -D ").append(macro).append('=').append(name(activation.function()));
        options.append(" -D ").append(macro).append("_ALPHA=").append(literal(activation.alpha()));
        options.append(" -D ").append(macro).append("_BETA=").append(literal(activation.beta()));
    }

    /** Returns the name of a function in {@code kernels/cell_functions.cl}. */
    private static String name(ActivationFunction function) {
        return "f_" + function.name().toLowerCase(Locale.ROOT);
    }

    /** Returns a hexadecimal literal, which doesn't depend on rounding or locale. */
    private static String literal(float value) {
        return Float.toHexString(value) + "f";
    }
}
