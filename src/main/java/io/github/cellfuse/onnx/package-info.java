/**
 * ONNX files: read and checked before anything is done with them, their tensors as Java arrays, their LSTM nodes as
 * {@link io.github.cellfuse.LstmLayer}s, and models written as such files. What isn't an LSTM is left to who runs whole graphs. The
 * classes of the format itself are generated from {@code onnx.proto}; what that schema doesn't name is kept as it is.
 */
package io.github.cellfuse.onnx;
