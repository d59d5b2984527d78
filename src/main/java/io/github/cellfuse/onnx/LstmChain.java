package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import java.util.List;

/**
 * LSTM nodes that form one model: nothing but the next node reads a node's Y. Time, batch and lengths are the same in
 * all of them. Immutable and thread safe.
 *
 * <p>The input is X of the first node, and the output is Y of the last; either has the layout of its node. Each node
 * has its own initial and final states, in its own layout. Initial states that are zeros are omitted.
 *
 * @param nodes the nodes, lowest layer first
 * @param model the nodes' layers as one model
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
            throw nodes.get(0).node().invalid("together with the LSTMs that follow it: " + e.getMessage(), e);
        }
    }

    /** Returns the lowest layer. Its X is the chain's input. */
    public LstmNode first() {
        return nodes.get(0);
    }

    /** Returns the highest layer. Its Y is the chain's output. */
    public LstmNode last() {
        return nodes.get(nodes.size() - 1);
    }
}
