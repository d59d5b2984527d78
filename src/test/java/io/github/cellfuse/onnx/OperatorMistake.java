package io.github.cellfuse.onnx;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmWeights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;

/** What one may get wrong of the operator LSTM: in the layer that is read from a node, or in how it is run. */
enum OperatorMistake {
    NONE,
    OUTPUT_AND_FORGET_GATE_SWAPPED(each(w -> gates(w, 0, 3, 2, 1))),
    CANDIDATE_AND_INPUT_GATE_SWAPPED(each(w -> gates(w, 2, 1, 0, 3))),
    OUTPUT_AND_FORGET_PEEPHOLE_SWAPPED(each(OperatorMistake::otherPeepholes)),
    RECURRENT_BIAS_LEFT_OUT(each(OperatorMistake::oneBias)),
    DIRECTIONS_SWAPPED(OperatorMistake::swapped),
    REVERSE_IS_FORWARD(OperatorMistake::forward),
    NO_CLIP(each(w -> w.withEquations(w.equations().withClip(CellEquations.NO_CLIP)))),
    WIDER_CLIP(each(w -> w.withEquations(w.equations().withClip(w.equations().clip() * 1.01f)))),
    NOT_COUPLED(each(w -> w.withEquations(w.equations().withCoupled(false)))),
    OTHER_DEFAULTS(each(OperatorMistake::otherDefaults)),
    FUNCTIONS_G_AND_H_SWAPPED(each(w -> w.withEquations(equations(
            w, w.equations().gate(), w.equations().hidden(), w.equations().candidate())))),
    FUNCTIONS_OF_THE_FIRST_DIRECTION_IN_BOTH(OperatorMistake::sameFunctions),
    CLIPPED_CELL_STATE,
    COUPLED_THE_OTHER_WAY,
    OUTPUT_PEEPHOLE_SEES_THE_OLD_STATE,
    REVERSE_READS_THE_PADDING,
    REVERSE_Y_IN_ITS_OWN_ORDER,
    STATES_AFTER_THE_PADDING,
    Y_GOES_ON_IN_THE_PADDING,
    EMPTY_ROW_KEEPS_ITS_STATE;

    private final UnaryOperator<LstmLayer> change;

    OperatorMistake() {
        this(null);
    }

    OperatorMistake(UnaryOperator<LstmLayer> change) {
        this.change = change;
    }

    /** Whether it is one of who reads the layer; else of who runs it. */
    boolean isInTheLayer() {
        return change != null;
    }

    /** The layer as it would be read with this mistake. */
    LstmLayer in(LstmLayer layer) {
        return isInTheLayer() ? change.apply(layer) : layer;
    }

    private static UnaryOperator<LstmLayer> each(UnaryOperator<LstmWeights> change) {
        return layer -> new LstmLayer(
                layer.direction(), layer.weights().stream().map(change).toList());
    }

    private static LstmWeights gates(LstmWeights w, int... order) {
        LstmWeights.Builder other =
                w.toBuilder().input(blocks(w.input(), order)).recurrent(blocks(w.recurrent(), order));
        w.inputBias().ifPresent(bias -> other.inputBias(blocks(bias, order)));
        w.recurrentBias().ifPresent(bias -> other.recurrentBias(blocks(bias, order)));
        return other.build();
    }

    private static float[] blocks(float[] values, int... order) {
        int block = values.length / order.length;
        float[] result = new float[values.length];
        for (int k = 0; k < order.length; k++) {
            System.arraycopy(values, order[k] * block, result, k * block, block);
        }
        return result;
    }

    private static LstmWeights otherPeepholes(LstmWeights w) {
        return w.peepholes().map(p -> w.withPeepholes(blocks(p, 0, 2, 1))).orElse(w);
    }

    private static LstmWeights oneBias(LstmWeights w) {
        LstmWeights.Builder other = LstmWeights.builder(w.inputSize(), w.hiddenSize())
                .input(w.input())
                .recurrent(w.recurrent())
                .equations(w.equations());
        w.inputBias().ifPresent(other::inputBias);
        w.peepholes().ifPresent(other::peepholes);
        return other.build();
    }

    private static LstmLayer swapped(LstmLayer layer) {
        List<LstmWeights> weights = new ArrayList<>(layer.weights());
        Collections.reverse(weights);
        return new LstmLayer(layer.direction(), weights);
    }

    private static LstmLayer forward(LstmLayer layer) {
        return layer.direction() == Direction.REVERSE ? new LstmLayer(Direction.FORWARD, layer.weights()) : layer;
    }

    private static LstmLayer sameFunctions(LstmLayer layer) {
        CellEquations first = layer.weights().get(0).equations();
        return each(w -> w.withEquations(first)).apply(layer);
    }

    private static CellEquations equations(LstmWeights w, Activation gate, Activation candidate, Activation hidden) {
        return new CellEquations(
                gate, candidate, hidden, w.equations().clip(), w.equations().coupled());
    }

    private static LstmWeights otherDefaults(LstmWeights w) {
        CellEquations e = w.equations();
        return w.withEquations(
                equations(w, otherDefault(e.gate()), otherDefault(e.candidate()), otherDefault(e.hidden())));
    }

    /** Random parameters are never those that a function has when none are given. */
    private static Activation otherDefault(Activation a) {
        boolean isBare = a.function() == ActivationFunction.AFFINE || a.function() == ActivationFunction.SCALED_TANH;
        float alpha = isBare ? 0 : a.function().defaultAlpha(),
                beta = isBare ? 0 : a.function().defaultBeta();
        return new Activation(
                a.function(),
                a.alpha() == alpha ? alpha + 0.05f : a.alpha(),
                a.beta() == beta ? beta + 0.05f : a.beta());
    }
}
