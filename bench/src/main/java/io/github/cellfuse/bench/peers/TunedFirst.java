package io.github.cellfuse.bench.peers;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.opencl.tune.Tuner;
import java.nio.file.Path;

/**
 * The plans that CellFuse may use: those that {@link #tune} measures, and none that was tuned on this machine earlier.
 *
 * @param seconds how long to measure for each shape; 0 for not at all
 * @param folder where the winners are stored
 */
public record TunedFirst(double seconds, Path folder) {
    /** Makes the engines of this process use the plans. */
    public void use() {
        System.setProperty("cellfuse.tuned", seconds > 0 ? folder.toString() : "off");
    }

    /** Measures the plans for {@code batch}'s size. Does nothing if the device isn't an OpenCL device. */
    public void tune(Device device, LstmModel model, LstmInput batch) {
        if (seconds > 0 && device instanceof Device.OpenCl openCl) {
            try (Tuner tuner = new Tuner(openCl, model)) {
                tuner.store(tuner.tune(batch.rows(), batch.steps(), seconds));
            }
        }
    }

    /** Returns what follows the name of CellFuse's device in a report. */
    public String note() {
        return seconds > 0 ? ", tuned for " + seconds + " s a shape" : "";
    }
}
