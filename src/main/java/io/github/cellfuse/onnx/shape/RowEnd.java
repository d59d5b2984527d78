package io.github.cellfuse.onnx.shape;

import java.util.Optional;

/**
 * Why rows can't be followed any further.
 *
 * @param reason names the node and says what it does
 * @param lacking a value that would need rows as well, if that is the reason
 */
record RowEnd(String reason, Optional<String> lacking) {}
