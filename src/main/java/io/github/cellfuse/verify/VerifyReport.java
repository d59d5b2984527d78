package io.github.cellfuse.verify;

import io.github.cellfuse.Device;
import io.github.cellfuse.Tier;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The result of a verification.
 *
 * @param device the device
 * @param tier its tier as opened
 * @param rows rows {@code N} of the batch, all of them compared by bits
 * @param steps time steps {@code T}
 * @param judgedRows rows held to the error bound
 * @param model the whole model, end to end
 * @param layers each layer by itself
 * @param rounding what the rounding of the weights costs; empty where they are stored as they are
 */
public record VerifyReport(
        Device device,
        Tier tier,
        int rows,
        int steps,
        int judgedRows,
        StageReport model,
        List<StageReport> layers,
        Optional<RoundingReport> rounding) {

    /** Whether this device has to have the twin's bits: only the exact tier promises them. */
    public boolean bitsRequired() {
        return tier == Tier.EXACT;
    }

    /** The whole model and the layers. */
    public List<StageReport> stages() {
        return Stream.concat(Stream.of(model), layers.stream()).toList();
    }

    /** Whether every bit agrees with the twin's. */
    public boolean sameBits() {
        return stages().stream().allMatch(stage -> stage.differing() == 0);
    }

    /** Whether every judged value is within its bound. */
    public boolean withinBound() {
        return stages().stream().allMatch(stage -> stage.violations() == 0);
    }

    /** Whether the device does what its tier promises. */
    public boolean passed() {
        return withinBound() && (sameBits() || !bitsRequired());
    }
}
