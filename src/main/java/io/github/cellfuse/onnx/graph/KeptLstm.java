package io.github.cellfuse.onnx.graph;

/**
 * An LSTM that runs in ONNX Runtime instead of on a device. Immutable and thread safe.
 *
 * @param node the node's name, or its first output if it has no name
 * @param reason the reason, as a clause such as {@code it is in the body of Loop l}
 */
public record KeptLstm(String node, String reason) {}
