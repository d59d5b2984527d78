package io.github.cellfuse.onnx.shape;

import java.util.Optional;

/**
 * Why rows can't be followed any further.
 *
 * @param reason names the node and says what it does
 * @param lacking a value that would need rows as well, if that is the reason
 * @param isTime whether the axis is the time of a recurrence, so that nobody would take it for rows
 */
record RowEnd(String reason, Optional<String> lacking, boolean isTime) {
    RowEnd(String reason, Optional<String> lacking) {
        this(reason, lacking, false);
    }
}
