/**
 * Reads, checks and writes ONNX files. Tensors become Java arrays and LSTM nodes become
 * {@link io.github.cellfuse.LstmLayer}s. {@link io.github.cellfuse.onnx.OnnxLstm} loads and saves files that contain
 * only LSTMs; {@link io.github.cellfuse.onnx.graph} runs whole graphs. The classes of the file format are generated
 * from {@code onnx.proto}; fields that this schema doesn't name are preserved.
 */
package io.github.cellfuse.onnx;
