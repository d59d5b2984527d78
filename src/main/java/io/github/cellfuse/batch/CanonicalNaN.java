package io.github.cellfuse.batch;

import io.github.cellfuse.LstmOutput;
import java.nio.FloatBuffer;

/**
 * Makes all NaNs of a result the one with the bits 0x7fc00000. IEEE 754 leaves sign and payload of a NaN open: they differ between
 * devices, and in Java between interpreted and compiled code, so that two runs of the same device could be told apart.
 */
final class CanonicalNaN {
    private CanonicalNaN() {}

    static void apply(LstmOutput output) {
        apply(output.y());
        apply(FloatBuffer.wrap(output.finalState().h()));
        apply(FloatBuffer.wrap(output.finalState().c()));
    }

    /** From index 0 to the limit; the position stays. */
    private static void apply(FloatBuffer values) {
        for (int k = 0; k < values.limit(); k++) {
            if (Float.isNaN(values.get(k))) {
                values.put(k, Float.NaN);
            }
        }
    }
}
