package io.github.cellfuse;

/**
 * A model's weights on a device, ready to run. It is opened once and shared by any number of sessions. Thread safe.
 * {@link #close} waits for runs in progress and closes the sessions; later calls throw {@link IllegalStateException}.
 * Closing twice has no effect.
 */
public interface LstmEngine extends AutoCloseable {

    /**
     * Opens {@code model} on the best exact device: a GPU, else another OpenCL device, else {@code java}.
     * {@link AutoDevice#open} does the same and also returns the reason for the choice.
     *
     * @throws CellFuseException if not even {@code java} can open the model
     */
    static LstmEngine open(LstmModel model) {
        return AutoDevice.open(model, EngineOptions.DEFAULT).engine();
    }

    /** Opens {@code model} on {@code device} with the default options. */
    static LstmEngine open(Device device, LstmModel model) {
        return open(device, model, EngineOptions.DEFAULT);
    }

    /**
     * Opens {@code model} on {@code device}.
     *
     * @throws InvalidInputException if there is no such device; the message lists the devices present. Also if a weight
     *     is too large for the precision that the options ask for
     * @throws CellFuseException if the device fails, or doesn't have enough memory for the weights
     */
    static LstmEngine open(Device device, LstmModel model, EngineOptions options) {
        return Providers.of(device).open(device, model, options);
    }

    /** Returns the device; for {@code opencl}, the one that was found, with its platform and index. */
    Device device();

    /**
     * Returns the model that this engine runs, with {@linkplain EngineOptions#weights() rounded} weights if it stores
     * them so.
     */
    LstmModel model();

    /** Returns what the results can be relied on for. */
    Tier tier();

    /** Returns one line that says how a batch of this shape will run, and why: plan, tile, threads. */
    String explain(int rows, int steps);

    /**
     * Returns a new session, which shares the weights and programs and is therefore cheap.
     *
     * @throws IllegalStateException if the engine is closed
     */
    LstmSession newSession();

    @Override
    void close();
}
