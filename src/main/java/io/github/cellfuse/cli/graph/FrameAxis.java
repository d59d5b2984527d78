package io.github.cellfuse.cli.graph;

/**
 * How the results of calls are put together.
 *
 * @param axis along which axis
 * @param isNew whether it is one that a call's result doesn't have
 */
record FrameAxis(int axis, boolean isNew) {}
