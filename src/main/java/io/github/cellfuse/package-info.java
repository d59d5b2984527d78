/**
 * The public API of CellFuse: a trained LSTM ({@link io.github.cellfuse.LstmModel}), the device that runs it
 * ({@link io.github.cellfuse.Device}), the engine that holds its weights there ({@link io.github.cellfuse.LstmEngine})
 * and the sessions that run sequences on it ({@link io.github.cellfuse.LstmSession}).
 *
 * <p>Shapes are written in brackets: {@code T} time steps, {@code N} rows of the batch (sequences), {@code I} input
 * features, {@code H} hidden units, {@code P} units of the hidden state that leaves a cell ({@code H} without a
 * projection), {@code L} layers, {@code D} directions (1 or 2). Every array is dense and row-major: the last dimension
 * is contiguous.
 *
 * <pre>{@code
 * LstmModel model = ModelFiles.read(Path.of("model.safetensors"));
 * try (LstmEngine engine = LstmEngine.open(model);          // the best exact device
 *         LstmSession session = engine.newSession()) {
 *     LstmOutput out = session.run(LstmInput.batchMajor(x, rows, steps));
 * }
 * }</pre>
 *
 * <p>A value that may be absent is an {@link java.util.Optional}; this package neither returns nor accepts null.
 * Exceptions are {@link io.github.cellfuse.InvalidInputException} if the caller's data are wrong, another
 * {@link io.github.cellfuse.CellFuseException} if a device or a file fails, and {@link IllegalStateException} after
 * closing.
 *
 * <p>This package uses only the JDK. Devices plug in through {@link io.github.cellfuse.spi.EngineProvider}.
 */
package io.github.cellfuse;
