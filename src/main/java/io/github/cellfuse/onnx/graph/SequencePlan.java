package io.github.cellfuse.onnx.graph;

import java.util.Optional;

/**
 * Whether a model that runs frame by frame can run many frames at once. Immutable and thread safe.
 *
 * @param model the model that does; empty if there is none
 * @param reason why there is none, as a sentence without a period
 */
public record SequencePlan(Optional<SequenceModel> model, String reason) {}
