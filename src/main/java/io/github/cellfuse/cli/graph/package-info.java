/**
 * {@code cellfuse run} on a whole ONNX graph.
 */
package io.github.cellfuse.cli.graph;
