package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmInput;
import io.github.cellfuse.spi.RowOrder;

/** The features of a task's rows at a time slot. Belongs to one task, because it may hold a buffer. */
interface LayerInput {
    /** Makes the features of the rows at {@code positions[0 … count-1]} readable for {@code slot}. */
    void load(int slot, int[] positions, int count);

    /** Returns the array that holds them after {@link #load}. */
    float[] values();

    /** Returns where the features of the task's {@code j}-th row begin. */
    int offset(int j);

    /** Returns the caller's batch as input. The features of the rows are copied into one array, in either layout. */
    static LayerInput of(LstmInput input, RowOrder order) {
        int width = input.x().limit() / input.rows() / input.steps();
        return new LayerInput() {
            private float[] values = new float[0];

            @Override
            public void load(int slot, int[] positions, int count) {
                if (values.length < positions.length * width) {
                    values = new float[positions.length * width];
                }
                for (int j = 0; j < count; j++) {
                    input.x().get(input.offset(order.row(positions[j]), slot - 1, width), values, j * width, width);
                }
            }

            @Override
            public float[] values() {
                return values;
            }

            @Override
            public int offset(int j) {
                return j * width;
            }
        };
    }

    /** Returns the history {@code [T+2][N·width]} of the layer below as input, read in place. */
    static LayerInput of(float[][] history, int width) {
        return new LayerInput() {
            private float[] values;
            private int[] positions;

            @Override
            public void load(int slot, int[] positions, int count) {
                this.values = history[slot];
                this.positions = positions;
            }

            @Override
            public float[] values() {
                return values;
            }

            @Override
            public int offset(int j) {
                return positions[j] * width;
            }
        };
    }
}
