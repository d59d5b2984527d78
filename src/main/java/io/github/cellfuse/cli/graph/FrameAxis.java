package io.github.cellfuse.cli.graph;

/**
 * The axis along which the results of calls are joined.
 *
 * @param axis the axis
 * @param isNew whether the result of one call lacks this axis
 */
record FrameAxis(int axis, boolean isNew) {}
