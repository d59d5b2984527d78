/**
 * Whole ONNX graphs: cut at their LSTMs, which run on a device, with everything between them in ONNX Runtime. An {@link
 * io.github.cellfuse.onnx.graph.OnnxModel} is the graph and what runs where; an {@link io.github.cellfuse.onnx.graph.OnnxSession} runs it; an {@link
 * io.github.cellfuse.onnx.graph.OnnxStream} runs it again and again with states that go from call to call.
 *
 * <p>ONNX Runtime is an optional dependency. Only the classes called {@code Ort…} name its classes, {@link
 * io.github.cellfuse.onnx.graph.OrtLibrary} opens them, and a graph that holds nothing but LSTMs does without.
 */
package io.github.cellfuse.onnx.graph;
