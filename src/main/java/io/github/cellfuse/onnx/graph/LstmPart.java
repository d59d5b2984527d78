package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
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
 * @param x the lowest one's input {@code [T,N,I]} or {@code [N,T,I]}
 * @param layout of x, and of the batches that run
 * @param sequenceLens the lengths {@code [N]}, where given
 * @param states the names of each layer's states, where given or wanted
 * @param y the uppermost one's output, where wanted
 * @param outputLayout of y
 * @param isMerged whether y is {@code [T,N,D·H]} or {@code [N,T,D·H]} instead of the operator's {@code [T,D,N,H]} or {@code [N,T,D,H]}
 */
public record LstmPart(
        List<String> nodes,
        LstmModel model,
        ElementType type,
        String x,
        Layout layout,
        Optional<String> sequenceLens,
        List<States> states,
        Optional<String> y,
        Layout outputLayout,
        boolean isMerged)
        implements Part {

    /**
     * A layer's states.
     *
     * @param byRow whether they are {@code [N,D,H]} instead of {@code [D,N,H]}
     * @param initialH the hidden states before the first step, where given
     * @param initialC the cell states before the first step, where given
     * @param yH the last hidden states, where wanted
     * @param yC the last cell states, where wanted
     */
    public record States(
            boolean byRow,
            Optional<String> initialH,
            Optional<String> initialC,
            Optional<String> yH,
            Optional<String> yC) {}

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

    /** Returns what messages call it. */
    String label() {
        return (nodes.size() == 1 ? "LSTM " : "LSTMs ") + String.join(", ", nodes);
    }

    /** Returns whether y lies in memory as a session writes it. */
    boolean hasSessionsOrder() {
        boolean isTogether =
                isMerged || layout == Layout.BATCH_MAJOR || model.last().directionCount() == 1;
        return layout == outputLayout && isTogether;
    }

    /** Returns the shape of y. */
    long[] outputShape(long rows, long steps) {
        long directions = model.last().directionCount(), width = model.last().stateSize();
        boolean isByTime = outputLayout == Layout.TIME_MAJOR;
        if (isMerged) {
            return new long[] {isByTime ? steps : rows, isByTime ? rows : steps, directions * width};
        }
        return isByTime ? new long[] {steps, directions, rows, width} : new long[] {rows, steps, directions, width};
    }
}
