package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;
import java.nio.FloatBuffer;

/**
 * Replaces every NaN of a result by the NaN with the bits 0x7fc00000. IEEE 754 leaves the sign and payload of a NaN
 * open. They differ between devices, and in Java between interpreted and compiled code, so two runs on the same device
 * could differ.
 */
final class CanonicalNaN {
    private CanonicalNaN() {}

    static void apply(LstmOutput output) {
        apply(output.y());
        apply(FloatBuffer.wrap(output.finalState().h()));
        apply(FloatBuffer.wrap(output.finalState().c()));
    }

    /** Covers index 0 to the limit; the position doesn't change. */
    private static void apply(FloatBuffer values) {
        for (int k = 0; k < values.limit(); k++) {
            if (Float.isNaN(values.get(k))) {
                values.put(k, Float.NaN);
            }
        }
    }
}
