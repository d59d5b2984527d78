/**
 * LSTMs out of models that Keras saved: {@code .keras} archives and {@code .h5} files of Keras 2 and 3. Reading goes in three steps:
 * the model's configuration becomes a {@code KerasNetwork} of layers, {@code LayerStack} finds those that make one LSTM, and
 * {@code WeightStore} gives their arrays, which are turned; the order of their gates is i, f, g, o already.
 */
package io.github.cellfuse.format.keras;
