package io.github.cellfuse.onnx.graph;

/**
 * A model of which one run computes many frames of many streams. Its LSTMs give the bits of running frame by frame.
 * Immutable and thread safe.
 *
 * <p>Along the axis that holds the rows, an input with {@code K} frames of {@code N} streams has the {@code N} rows of
 * the first frame, then those of the second, and so on, {@code K·N} in all; so do the outputs. States have {@code N}
 * rows: those before the first frame, and those after the last.
 *
 * @param model the model
 * @param counts the name of a further input, int32 {@code [N]}: the number of frames of each stream, 0 to {@code K}.
 *     Results of later frames of a stream have no meaning, and don't change its state
 */
public record SequenceModel(OnnxModel model, String counts) {}
