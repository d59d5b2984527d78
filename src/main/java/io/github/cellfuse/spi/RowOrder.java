package io.github.cellfuse.spi;

import io.github.cellfuse.LstmInput;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The rows of a batch sorted by falling length, so that the rows that have a step at a given time are always the first ones: rows
 * past their length then cost no work. Rows of equal length keep their order. Immutable.
 *
 * <p>Engines keep hidden states in a history of <em>time slots</em> {@code [T+2]}: step {@code t} (0-based) is slot {@code t+1},
 * and the initial state of a row stands in the slot that its first step looks back to: slot 0 forward, slot {@code length+1} in
 * reverse.
 */
public final class RowOrder {
    private final int[] order;
    private final int[] lengths;
    private final int[] active;
    private final boolean callersOrder;

    /** Sorts the rows of {@code input}. */
    public RowOrder(LstmInput input) {
        int rows = input.rows();
        int[] given = input.lengths();
        active = new int[Sizes.elements("time slots [T+2]", input.steps() + 2L)];
        // Counting sort: active[slot] becomes the number of rows with length >= slot …
        for (int length : given) {
            active[length]++;
        }
        for (int slot = active.length - 2; slot >= 0; slot--) {
            active[slot] += active[slot + 1];
        }
        // … which is also where the rows that are one step shorter begin.
        int[] next = Arrays.copyOfRange(active, 1, active.length);
        order = new int[rows];
        lengths = new int[rows];
        for (int row = 0; row < rows; row++) {
            int position = next[given[row]]++;
            order[position] = row;
            lengths[position] = given[row];
        }
        callersOrder = IntStream.range(0, rows).allMatch(position -> order[position] == position);
    }

    /** The number of rows {@code N}. */
    public int rows() {
        return order.length;
    }

    /** The number of steps {@code T}. */
    public int steps() {
        return active.length - 2;
    }

    /** The caller's row that stands at {@code position}. */
    public int row(int position) {
        return order[position];
    }

    /** Whether the rows were sorted already, so that positions are the caller's rows. */
    public boolean isCallersOrder() {
        return callersOrder;
    }

    /** The length of the row at {@code position}. */
    public int length(int position) {
        return lengths[position];
    }

    /** How many rows have a step in {@code slot}, 1 to T; they are the first ones. For slot 0 all, for slot T+1 none. */
    public int active(int slot) {
        return active[slot];
    }

    /** The slot that holds the state before the first step of the row at {@code position}. */
    public int slotBefore(int position, boolean reverse) {
        return reverse ? lengths[position] + 1 : 0;
    }

    /** The slot that holds the state after the last step of the row at {@code position}. */
    public int slotAfter(int position, boolean reverse) {
        return reverse ? 1 : lengths[position];
    }

    /** {@code [N]} the caller's rows by position; a new array. */
    public int[] toOrderArray() {
        return order.clone();
    }

    /** {@code [N]} lengths by position; a new array. */
    public int[] toLengthArray() {
        return lengths.clone();
    }

    /** {@code [T+2]} active rows by slot; a new array. */
    public int[] toActiveArray() {
        return active.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RowOrder that
                && Arrays.equals(order, that.order)
                && Arrays.equals(lengths, that.lengths)
                && Arrays.equals(active, that.active);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(order) + Arrays.hashCode(lengths);
    }
}
