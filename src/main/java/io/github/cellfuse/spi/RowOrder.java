package io.github.cellfuse.spi;

import io.github.cellfuse.LstmInput;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The rows of a batch, sorted by decreasing length. The rows that have a step at a given time are then always the first
 * ones, and rows past their length cost no work. Rows of equal length keep their order. Immutable.
 *
 * <p>Engines keep hidden states in a history of <em>time slots</em> {@code [T+2]}. Step {@code t} (0-based) has slot
 * {@code t+1}. The initial state of a row is in the slot that precedes its first step: slot 0 for the forward
 * direction, slot {@code length+1} for the reverse direction.
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

    /** Returns the number of rows {@code N}. */
    public int rows() {
        return order.length;
    }

    /** Returns the number of time steps {@code T}. */
    public int steps() {
        return active.length - 2;
    }

    /** Returns the caller's index of the row at {@code position}. */
    public int row(int position) {
        return order[position];
    }

    /** Returns whether the rows were already sorted, so that positions are the caller's row indices. */
    public boolean isCallersOrder() {
        return callersOrder;
    }

    /** Returns the length of the row at {@code position}. */
    public int length(int position) {
        return lengths[position];
    }

    /**
     * Returns how many rows have a step in {@code slot}, 1 to T; these rows come first. All rows for slot 0, none for
     * slot T+1.
     */
    public int active(int slot) {
        return active[slot];
    }

    /** Returns the slot of the state before the first step of the row at {@code position}. */
    public int slotBefore(int position, boolean reverse) {
        return reverse ? lengths[position] + 1 : 0;
    }

    /** Returns the slot of the state after the last step of the row at {@code position}. */
    public int slotAfter(int position, boolean reverse) {
        return reverse ? 1 : lengths[position];
    }

    /** Returns the caller's row index for each position, {@code [N]}, as a new array. */
    public int[] toOrderArray() {
        return order.clone();
    }

    /** Returns the length of the row at each position, {@code [N]}, as a new array. */
    public int[] toLengthArray() {
        return lengths.clone();
    }

    /** Returns the number of active rows by slot, {@code [T+2]}, as a new array. */
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
