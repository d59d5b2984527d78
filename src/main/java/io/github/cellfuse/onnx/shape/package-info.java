/**
 * What is known of a graph's values before a run: their shapes, the sizes that nodes compute from shapes, and the axis
 * along which each value holds the rows of a batch. {@link io.github.cellfuse.onnx.shape.Rules} has one rule for each
 * operator.
 */
package io.github.cellfuse.onnx.shape;
