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
 * @param tier the tier of the device as opened
 * @param rows rows {@code N} of the batch, all compared by bits
 * @param steps time steps {@code T}
 * @param judgedRows rows compared with the error bound
 * @param whole the whole model, end to end; empty if only one layer was verified
 * @param layers each layer by itself
 * @param cells what happened inside the cells of each layer; empty if the device doesn't tell
 * @param rounding the cost of rounding the weights; empty if they aren't rounded
 */
public record VerifyReport(
        Device device,
        Tier tier,
        int rows,
        int steps,
        int judgedRows,
        Optional<StageReport> whole,
        List<StageReport> layers,
        List<CellReport> cells,
        Optional<RoundingReport> rounding) {

    /** Returns whether this device must give the Java engine's bits: only the exact tier promises them. */
    public boolean bitsRequired() {
        return tier == Tier.EXACT;
    }

    /**
     * Returns the whole model, end to end.
     *
     * @throws java.util.NoSuchElementException if only one layer was verified
     */
    public StageReport model() {
        return whole.orElseThrow();
    }

    /** Returns the stages: the whole model and the layers. */
    public List<StageReport> stages() {
        return Stream.concat(whole.stream(), layers.stream()).toList();
    }

    /** Returns the first difference inside the cells of each layer and direction that has any. */
    public List<CellFault> faults() {
        return cells.stream().flatMap(layer -> layer.faults().stream()).toList();
    }

    /** Returns whether every bit agrees with the Java engine. */
    public boolean sameBits() {
        return stages().stream().allMatch(stage -> stage.differing() == 0)
                && cells.stream().allMatch(layer -> layer.differing() == 0);
    }

    /** Returns whether every judged value is within its bound. */
    public boolean withinBound() {
        return stages().stream().allMatch(stage -> stage.violations() == 0)
                && cells.stream().allMatch(layer -> layer.violations() == 0);
    }

    /** Returns whether the device does what its tier promises. */
    public boolean passed() {
        return withinBound() && (sameBits() || !bitsRequired());
    }
}
