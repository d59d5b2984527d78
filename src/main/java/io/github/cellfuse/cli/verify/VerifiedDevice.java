package io.github.cellfuse.cli.verify;

import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.verify.VerifyReport;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * What was found on one device.
 *
 * @param choice the device
 * @param reports the reports of the cases, in their order
 * @param failure why the device could not be verified
 * @param repeating returns, for a case, the command that verifies one of its layers again
 */
record VerifiedDevice(
        DeviceOption.Choice choice,
        Map<VerifyCase, VerifyReport> reports,
        Optional<String> failure,
        Function<VerifyCase, IntFunction<String>> repeating) {

    /** Returns whether the device did what its tier promises, in all cases. */
    boolean passed() {
        return failure.isEmpty() && reports.values().stream().allMatch(VerifyReport::passed);
    }

    /** Returns the command that verifies a layer of a case again. */
    IntFunction<String> repeat(VerifyCase of) {
        return repeating.apply(of);
    }
}
