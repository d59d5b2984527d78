/**
 * Runs whole ONNX graphs. A graph is cut at its LSTMs: these run on a device, and everything between them runs in ONNX
 * Runtime. An {@link io.github.cellfuse.onnx.graph.OnnxModel} is the graph with its parts; an
 * {@link io.github.cellfuse.onnx.graph.OnnxSession} runs it; an {@link io.github.cellfuse.onnx.graph.OnnxStream} runs
 * it repeatedly and passes states from call to call.
 *
 * <p>ONNX Runtime is an optional dependency, which a graph of LSTMs alone doesn't need. Only the classes {@code Ort…}
 * use its classes. They are reached through {@link io.github.cellfuse.onnx.graph.OrtLibrary}.
 */
package io.github.cellfuse.onnx.graph;
