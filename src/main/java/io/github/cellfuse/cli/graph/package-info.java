/** {@code cellfuse run} for a whole ONNX graph. */
package io.github.cellfuse.cli.graph;
