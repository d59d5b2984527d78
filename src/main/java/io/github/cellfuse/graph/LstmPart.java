package io.github.cellfuse.graph;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * LSTMs of a graph that run on the device as one model: a node, or several of which each reads the one below with nothing but changes of
 * shape in between. Immutable.
 *
 * @param nodes the names of the nodes, the lowest first
 * @param model what they compute
 * @param type of x, y and the states in the graph
 * @param layout of x and y
 * @param x the lowest one's input {@code [T,N,I]} or {@code [N,T,I]}
 * @param sequenceLens the lengths {@code [N]}, where given
 * @param states the names of each layer's states, where given or wanted
 * @param statesByRow whether states are {@code [N,D,H]} instead of {@code [D,N,H]}
 * @param y the uppermost one's output, where wanted
 * @param isMerged whether y is {@code [T,N,D·H]} or {@code [N,T,D·H]} instead of the operator's {@code [T,D,N,H]} or {@code [N,T,D,H]}
 */
public record LstmPart(
        List<String> nodes,
        LstmModel model,
        ElementType type,
        Layout layout,
        String x,
        Optional<String> sequenceLens,
        List<States> states,
        boolean statesByRow,
        Optional<String> y,
        boolean isMerged)
        implements Part {

    /** The names of a layer's states: those before the first step, where given, and the last ones, where wanted. */
    public record States(
            Optional<String> initialH, Optional<String> initialC, Optional<String> yH, Optional<String> yC) {}

    public LstmPart {
        nodes = List.copyOf(nodes);
        states = List.copyOf(states);
    }

    @Override
    public List<String> inputs() {
        List<String> inputs = new ArrayList<>();
        inputs.add(x);
        sequenceLens.ifPresent(inputs::add);
        for (States layer : states) {
            layer.initialH().ifPresent(inputs::add);
            layer.initialC().ifPresent(inputs::add);
        }
        return inputs;
    }

    @Override
    public List<String> outputs() {
        List<String> outputs = new ArrayList<>();
        y.ifPresent(outputs::add);
        for (States layer : states) {
            layer.yH().ifPresent(outputs::add);
            layer.yC().ifPresent(outputs::add);
        }
        return outputs;
    }

    /** What messages call it. */
    String label() {
        return (nodes.size() == 1 ? "LSTM " : "LSTMs ") + String.join(", ", nodes);
    }

    /** Whether y lies in memory as a session writes it: in all cases but one. */
    boolean hasSessionsOrder() {
        return isMerged || layout == Layout.BATCH_MAJOR || model.last().directionCount() == 1;
    }

    /** The shape of y. */
    long[] outputShape(long rows, long steps) {
        long directions = model.last().directionCount(), width = model.last().stateSize();
        boolean isByTime = layout == Layout.TIME_MAJOR;
        if (isMerged) {
            return new long[] {isByTime ? steps : rows, isByTime ? rows : steps, directions * width};
        }
        return isByTime ? new long[] {steps, directions, rows, width} : new long[] {rows, steps, directions, width};
    }
}
