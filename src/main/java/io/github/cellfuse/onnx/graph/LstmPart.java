package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A part of a graph that runs on a device: one LSTM node, or a chain of them as one model. Immutable and thread safe.
 *
 * @param nodes the names of the nodes, lowest layer first
 * @param model the model that the nodes compute
 * @param type the type of x, y and the states in the graph
 * @param x the name of the lowest layer's input {@code [T,N,I]} or {@code [N,T,I]}
 * @param layout the layout of x and of the batches that run
 * @param sequenceLens the name of the lengths {@code [N]}, if given
 * @param states the names of each layer's states
 * @param y the name of the highest layer's output, if the graph needs it
 * @param outputLayout the layout of y
 * @param frameCounts the name of the number of frames of each stream {@code [N]}, int32. If given, x and y have the
 *     rows of K frames one after the other, {@code K·N} rows, and the frames of a stream are successive steps of one
 *     sequence. The states have {@code N} rows
 * @param isMerged whether y is {@code [T,N,D·H]} or {@code [N,T,D·H]} instead of the operator's {@code [T,D,N,H]} or
 *     {@code [N,T,D,H]}
 */
public record LstmPart(
        List<String> nodes,
        LstmModel model,
        ElementType type,
        String x,
        Layout layout,
        Optional<String> sequenceLens,
        Optional<String> frameCounts,
        List<States> states,
        Optional<String> y,
        Layout outputLayout,
        boolean isMerged)
        implements Part {

    /**
     * The names of a layer's states.
     *
     * @param byRow whether the states are {@code [N,D,H]} instead of {@code [D,N,H]}
     * @param initialH the initial hidden states, if given
     * @param initialC the initial cell states, if given
     * @param yH the final hidden states, if the graph needs them
     * @param yC the final cell states, if the graph needs them
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
        frameCounts.ifPresent(inputs::add);
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

    /**
     * Returns the same part as one in which the frames of a stream are the steps of a sequence.
     *
     * @param counts the name of the number of frames of each stream
     * @param renamed the names of the states
     * @param otherY the name of y, if it has none yet and is needed
     */
    LstmPart overFrames(String counts, List<States> renamed, Optional<String> otherY) {
        return new LstmPart(
                nodes,
                model,
                type,
                x,
                layout,
                sequenceLens,
                Optional.of(counts),
                renamed,
                y.or(() -> otherY),
                y.isPresent() ? outputLayout : layout,
                isMerged);
    }

    /** Returns the part's name in messages. */
    String label() {
        return (nodes.size() == 1 ? "LSTM " : "LSTMs ") + String.join(", ", nodes);
    }

    /** Returns whether y has the order in which a session writes it. */
    boolean hasSessionsOrder() {
        boolean isTogether =
                isMerged || layout == Layout.BATCH_MAJOR || model.last().directionCount() == 1;
        return layout == outputLayout && isTogether;
    }

    /** Returns the shape of y for a batch. */
    long[] outputShape(long rows, long steps) {
        long directions = model.last().directionCount(), width = model.last().stateSize();
        boolean isByTime = outputLayout == Layout.TIME_MAJOR;
        if (isMerged) {
            return new long[] {isByTime ? steps : rows, isByTime ? rows : steps, directions * width};
        }
        return isByTime ? new long[] {steps, directions, rows, width} : new long[] {rows, steps, directions, width};
    }
}
