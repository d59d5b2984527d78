/**
 * The public API of CellFuse: a trained LSTM ({@link io.github.cellfuse.LstmModel}), the device that runs it
 * ({@link io.github.cellfuse.Device}), the engine that holds its weights there ({@link io.github.cellfuse.LstmEngine}) and the
 * sessions that push sequences through it ({@link io.github.cellfuse.LstmSession}).
 *
 * <p>Shapes are written in brackets: {@code T} time steps, {@code N} rows of the batch (sequences), {@code I} input features,
 * {@code H} hidden units, {@code P} units of the hidden state that leaves a cell ({@code H} without a projection), {@code L}
 * layers, {@code D} directions (1 or 2). Every array is dense and row-major: the last dimension is contiguous.
 *
 * <pre>{@code
 * LstmModel model = PyTorchLstm.load(Path.of("model.safetensors"));
 * try (LstmEngine engine = LstmEngine.open(model);          // the best exact device there is
 *         LstmSession session = engine.newSession()) {
 *     LstmOutput out = session.run(LstmInput.batchMajor(x, rows, steps));
 * }
 * }</pre>
 *
 * <p>This package knows only the JDK. The devices plug in through {@link io.github.cellfuse.spi.EngineProvider}.
 */
package io.github.cellfuse;
