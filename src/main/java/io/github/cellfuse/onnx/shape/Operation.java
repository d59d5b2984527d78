package io.github.cellfuse.onnx.shape;

import io.github.cellfuse.onnx.OnnxNode;
import io.github.cellfuse.onnx.OnnxTensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** A node with what is known of its inputs, as a {@link Rule} sees it. Not thread safe. */
final class Operation {
    private final OnnxNode node;
    private final long opset;
    private final OnnxTensors tensors;
    private final RowCount rowCount;
    private final List<Optional<TensorFacts>> inputs;
    private final AtomicLong symbols;

    /**
     * Makes an operation.
     *
     * @param inputs the facts of each input; empty for an input that the node doesn't have
     * @param symbols counts the unknown sizes of the whole graph: nodes in branches may have the labels of others
     */
    Operation(
            OnnxNode node,
            long opset,
            OnnxTensors tensors,
            RowCount rowCount,
            List<Optional<TensorFacts>> inputs,
            AtomicLong symbols) {
        this.node = node;
        this.opset = opset;
        this.tensors = tensors;
        this.rowCount = rowCount;
        this.inputs = inputs;
        this.symbols = symbols;
    }

    OnnxNode node() {
        return node;
    }

    String operator() {
        return node.proto().getOpType();
    }

    /** Returns the opset version of the default domain. */
    long opset() {
        return opset;
    }

    /** Returns a reader for tensors among the attributes. */
    OnnxTensors tensors() {
        return tensors;
    }

    /** Returns what is known of the number of rows. */
    RowCount rowCount() {
        return rowCount;
    }

    int inputCount() {
        return inputs.size();
    }

    int outputCount() {
        return node.proto().getOutputCount();
    }

    boolean has(int k) {
        return k < inputs.size() && inputs.get(k).isPresent();
    }

    /** Returns the facts of input {@code k}; nothing is known of an input that the node doesn't have. */
    TensorFacts input(int k) {
        return has(k) ? inputs.get(k).get() : TensorFacts.UNKNOWN;
    }

    Optional<List<Size>> dims(int k) {
        return input(k).dims();
    }

    /** Returns the dimensions of input {@code k}, which holds rows. */
    List<Size> known(int k) {
        return dims(k).orElseThrow(() -> ended("has an input of unknown shape"));
    }

    Optional<RowAxis> rows(int k) {
        return input(k).rows();
    }

    boolean hasRows() {
        return inputs.stream()
                .anyMatch(input -> input.flatMap(TensorFacts::rows).isPresent());
    }

    /**
     * Returns whether input {@code k} holds rows at a place, or the only row of a run: its size there is 1, and all of
     * it belongs to this row.
     *
     * @param wanted the place of the rows in another input; empty if the other input holds none
     */
    boolean holds(int k, Optional<RowAxis> wanted) {
        boolean isOnlyRow = rowCount.isOne()
                && wanted.isPresent()
                && dims(k).filter(d -> wanted.get().axis() < d.size()
                                && d.get(wanted.get().axis()).is(1))
                        .isPresent();
        return isOnlyRow || rows(k).equals(wanted);
    }

    /** Returns the integers in input {@code k}, if they are known numbers. */
    Optional<long[]> numbers(int k) {
        return input(k).numbers();
    }

    /** Returns the integers of an attribute, or of input {@code k} from opset {@code since} on. */
    Optional<long[]> integers(String attribute, int k, long since) {
        return opset >= since
                ? numbers(k)
                : node.integers(attribute)
                        .map(list -> list.stream().mapToLong(Long::longValue).toArray());
    }

    /** Returns an axis counted from the front. */
    int axis(long axis, int rank) {
        long index = axis < 0 ? axis + rank : axis;
        if (index < 0 || index >= rank) {
            throw ended("has axis " + axis + " for a value of " + rank + " dimensions");
        }
        return (int) index;
    }

    /** Returns a dimension that is unknown before a run. */
    Size unknown() {
        return unknown(List.of());
    }

    /** Returns a dimension that follows from others in a way that isn't followed. */
    Size unknown(List<Size> others) {
        return symbol(others, true);
    }

    /** Returns a number that follows from others in a way that isn't followed. */
    Size unknownNumber(List<Size> others) {
        return symbol(others, false);
    }

    private Size symbol(List<Size> others, boolean isDimension) {
        boolean isOfRows = others.stream().anyMatch(Size::isOfRows);
        return Size.of(new Size.Symbol("#" + symbols.incrementAndGet(), isOfRows, isDimension));
    }

    /** Returns sizes that are unknown before a run. */
    List<Size> unknowns(int count) {
        List<Size> sizes = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            sizes.add(unknown());
        }
        return sizes;
    }

    /** Ends the proof if one of these inputs holds rows. */
    void expectNoRows(String what, int... inputs) {
        for (int k : inputs) {
            if (rows(k).isPresent()) {
                throw ended("takes its " + what + " from the rows");
            }
        }
    }

    /**
     * Returns an exception that ends the proof at this node.
     *
     * @param what what the node does, as a predicate such as {@code adds up the rows}
     */
    RowEndException ended(String what) {
        return new RowEndException(new RowEnd(node.label() + " " + what, Optional.empty()));
    }

    /** Returns an exception that ends the proof because the axis of the rows is the time of a recurrence. */
    RowEndException recurs() {
        String what = " recurs along the axis of the rows, its time axis";
        return new RowEndException(new RowEnd(node.label() + what, Optional.empty(), true));
    }

    /** Returns an exception that ends the proof because input {@code k} doesn't hold rows as another one does. */
    RowEndException lacking(int k) {
        Optional<String> name = node.input(k);
        String what = " combines rows with '" + name.orElse("") + "', which doesn't hold the same rows";
        return new RowEndException(new RowEnd(node.label() + what, name));
    }
}
