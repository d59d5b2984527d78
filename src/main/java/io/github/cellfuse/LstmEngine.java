package io.github.cellfuse;

/**
 * A model's weights on a device, ready to run: opened once, shared by any number of sessions. Thread safe. Closing it waits
 * for runs that have begun and closes the sessions; what is asked of them afterwards is refused with an {@link
 * IllegalStateException}. Closing twice does nothing.
 */
public interface LstmEngine extends AutoCloseable {

    /**
     * Opens {@code model} on the best exact device: a GPU, else another OpenCL device, else {@code java}. {@link AutoDevice#open} does
     * the same and also returns the reason.
     *
     * @throws CellFuseException when not even {@code java} can take the model
     */
    static LstmEngine open(LstmModel model) {
        return AutoDevice.open(model, EngineOptions.DEFAULT).engine();
    }

    /** Opens {@code model} on {@code device} with everything else chosen by the engine. */
    static LstmEngine open(Device device, LstmModel model) {
        return open(device, model, EngineOptions.DEFAULT);
    }

    /**
     * Opens {@code model} on {@code device}.
     *
     * @throws InvalidInputException when there is no such device; the message lists those that there are. Or when a weight is too large
     *     for the precision that the options ask for
     * @throws CellFuseException when the device fails, or hasn't the memory for the weights
     */
    static LstmEngine open(Device device, LstmModel model, EngineOptions options) {
        return Providers.of(device).open(device, model, options);
    }

    /** The device; for {@code opencl} the one that was found, with its platform and index. */
    Device device();

    /** The model that it runs: with {@linkplain EngineOptions#weights() rounded} weights where they are stored so. */
    LstmModel model();

    /** What the results may be held to. */
    Tier tier();

    /** One line on how it will run a batch of this shape, and why: plan, tile, threads. */
    String explain(int rows, int steps);

    /**
     * A new session: cheap, it shares the weights and programs.
     *
     * @throws IllegalStateException when the engine is closed
     */
    LstmSession newSession();

    @Override
    void close();
}
