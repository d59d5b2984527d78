package io.github.cellfuse.cli.graph;

import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.spi.CompilerWait;
import java.util.function.Consumer;

/** Opens all LSTMs of a graph on one device, and says which. */
public final class GraphDevice {
    private final DeviceOption option;
    private final Consumer<String> say;
    private DeviceOption.Choice choice;

    /** @param say receives the messages */
    public GraphDevice(DeviceOption option, Consumer<String> say) {
        this.option = option;
        this.say = say;
    }

    /**
     * Opens all LSTMs on a device that was chosen already.
     *
     * @param say receives the messages
     */
    static GraphDevice on(DeviceOption.Choice choice, DeviceOption option, Consumer<String> say) {
        GraphDevice device = new GraphDevice(option, say);
        device.choice = choice;
        device.announce();
        return device;
    }

    /** Returns the device that the first LSTM was opened on; null before. */
    public DeviceOption.Choice choice() {
        return choice;
    }

    /** Opens an LSTM; the caller closes it. */
    public LstmEngine open(LstmModel lstm) {
        if (choice != null) {
            return option.open(choice, lstm);
        }
        DeviceOption.Opened first = CompilerWait.telling(say, () -> option.open(lstm));
        choice = first.choice();
        announce();
        return first.engine();
    }

    private void announce() {
        say.accept("device " + choice.device() + ": " + choice.reason());
        if (option.weights() != WeightPrecision.F32) {
            say.accept("weights rounded to " + option.weights().label());
        }
    }
}
