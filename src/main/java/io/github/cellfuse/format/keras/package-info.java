/**
 * LSTMs out of models that Keras saved: {@code .keras} archives and {@code .h5} files of Keras 2 and 3. Reading goes in three steps:
 * the model's configuration becomes {@linkplain io.github.cellfuse.format.keras.KerasLayer layers}, {@code LayerStack} finds those
 * that make one LSTM, and {@code WeightStore} gives their arrays, which are turned and put into the order i, f, g, o (Keras' own).
 */
package io.github.cellfuse.format.keras;
