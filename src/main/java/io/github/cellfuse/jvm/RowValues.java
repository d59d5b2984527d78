package io.github.cellfuse.jvm;

/**
 * Values of a task's rows, such as features or hidden states: those of row {@code r} begin at {@code offsets[r]}.
 *
 * @param values the array, shared with the caller
 * @param offsets where each row begins, shared with the caller
 */
record RowValues(float[] values, int[] offsets) {}
