package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import java.util.List;

/**
 * LSTM nodes of which each reads the Y of the one before and nothing else does, so that they are the layers of one model. Time and
 * batch are the same in all of them, and so are the lengths. Immutable.
 *
 * <p>X is {@link LstmNode#x} of the first node, in its layout, and Y that of the last, in its own. Each node has its own initial states
 * and final states, in its own layout; initial states that are zeros are left out.
 *
 * @param nodes the lowest layer first
 * @param model them as one model
 */
public record LstmChain(List<LstmNode> nodes, LstmModel model) {
    public LstmChain {
        nodes = List.copyOf(nodes);
    }

    static LstmChain of(List<LstmNode> nodes) {
        try {
            return new LstmChain(
                    nodes, new LstmModel(nodes.stream().map(LstmNode::layer).toList()));
        } catch (InvalidInputException e) {
            throw nodes.get(0).node().invalid("with the LSTMs that follow it: " + e.getMessage(), e);
        }
    }

    /** Returns the lowest layer, whose X is the input. */
    public LstmNode first() {
        return nodes.get(0);
    }

    /** Returns the highest layer, whose Y is the output. */
    public LstmNode last() {
        return nodes.get(nodes.size() - 1);
    }
}
