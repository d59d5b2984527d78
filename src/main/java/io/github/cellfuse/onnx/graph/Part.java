package io.github.cellfuse.onnx.graph;

import java.util.List;

/** A part of a graph that runs in one place. The parts of a graph run one after the other. */
public sealed interface Part permits LstmPart, RuntimePart {
    /** The names of the values that it reads. */
    List<String> inputs();

    /** Returns the names of the values that others read. */
    List<String> outputs();
}
