package io.github.cellfuse.onnx.graph;

import java.util.List;

/**
 * A part of a graph that runs in one place: on a device or in ONNX Runtime. The parts run one after the other.
 * Immutable.
 */
public sealed interface Part permits LstmPart, RuntimePart {
    /** Returns the names of the values that the part reads. */
    List<String> inputs();

    /** Returns the names of the values that the part computes and that are read outside it. */
    List<String> outputs();
}
