package io.github.cellfuse.format.torch;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tensor's name as {@code torch.nn.LSTM} (and GRU and RNN) gives it: {@code encoder.rnn.weight_ih_l0_reverse}; or as
 * {@code torch.nn.LSTMCell} does: {@code decoder.weight_ih}.
 *
 * @param prefix what the module around it is called, with the dot: {@code encoder.rnn.}; empty for a bare LSTM
 * @param kind which of the layer's tensors
 * @param layer from 0 on
 * @param reverse whether it belongs to the reverse direction
 * @param isCell whether it is one of a cell, which has neither layers nor directions
 */
record TorchName(String prefix, Kind kind, int layer, boolean reverse, boolean isCell) {
    // \z and not $, which would let a line feed pass; no leading zeros, or two names would mean one tensor.
    private static final Pattern ENDING =
            Pattern.compile("(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)_l(0|[1-9][0-9]{0,3})(_reverse)?\\z");

    private static final Pattern CELL_ENDING = Pattern.compile("(?<=^|\\.)(weight_ih|weight_hh|bias_ih|bias_hh)\\z");

    /** How the names of a recurrent layer's tensors begin, or end: {@code weight_hh_l0_raw}, {@code peephole_l0}. */
    private static final Pattern RECURRENT =
            Pattern.compile("(weight_(ih|hh|hr)|bias_(ih|hh)).*|[^.]*_l[0-9]+(_reverse)?", Pattern.DOTALL);

    /** The tensors of one direction of a layer, in the order of a module's {@code state_dict}. */
    enum Kind {
        WEIGHT_IH,
        WEIGHT_HH,
        BIAS_IH,
        BIAS_HH,
        WEIGHT_HR;

        boolean isBias() {
            return this == BIAS_IH || this == BIAS_HH;
        }

        /** {@code weight_ih}, ... */
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Returns the parts of {@code name}; empty when it isn't such a tensor's. */
    static Optional<TorchName> parse(String name) {
        Matcher ending = ENDING.matcher(name);
        if (!ending.find()) {
            return Optional.empty();
        }
        Kind kind = Kind.valueOf(ending.group(1).toUpperCase(Locale.ROOT));
        return Optional.of(new TorchName(
                name.substring(0, ending.start()),
                kind,
                Integer.parseInt(ending.group(2)),
                ending.group(3) != null,
                false));
    }

    /** Returns the parts of the name of a cell's tensor; empty when it isn't one. */
    static Optional<TorchName> parseCell(String name) {
        Matcher ending = CELL_ENDING.matcher(name);
        return ending.find()
                ? Optional.of(new TorchName(
                        name.substring(0, ending.start()),
                        Kind.valueOf(ending.group(1).toUpperCase(Locale.ROOT)),
                        0,
                        false,
                        true))
                : Optional.empty();
    }

    /** Returns the name of another tensor of the same module. */
    TorchName sibling(Kind other, int otherLayer, boolean isReverse) {
        return new TorchName(prefix, other, otherLayer, isReverse, isCell);
    }

    /**
     * Returns whether a tensor called {@code name} within a module looks like one of a recurrent layer, known or not.
     */
    static boolean looksRecurrent(String name) {
        return RECURRENT.matcher(name).matches();
    }

    @Override
    public String toString() {
        return prefix + kind.label() + (isCell ? "" : "_l" + layer) + (reverse ? "_reverse" : "");
    }
}
