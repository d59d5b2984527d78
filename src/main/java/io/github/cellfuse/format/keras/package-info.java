/**
 * Reads LSTMs from models that Keras saved: {@code .keras} archives and {@code .h5} files of Keras 2 and 3. Reading has
 * three steps: the model's configuration becomes a {@code KerasNetwork} of layers, {@code LayerStack} finds the layers
 * that form one LSTM, and {@code WeightStore} returns their arrays, which are transposed. Keras already has the gate
 * order i, f, g, o.
 */
package io.github.cellfuse.format.keras;
