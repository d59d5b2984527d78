package io.github.cellfuse.cli.job;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.OutputFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of a run that takes long: what happens when a device, the process or the machine fails. */
public final class JobOptions {
    private static final long LONGEST = Duration.ofDays(365).toSeconds();

    @Option(
            names = "--resume",
            description = "Continue a run that was interrupted, with the same model, input and options. Rows that are"
                    + " finished aren't computed again. Starts from the beginning if there is nothing to continue.")
    private boolean resume;

    @Option(
            names = "--fallback",
            description = "Let java finish the run if every other device fails. Default: the run ends, and can be"
                    + " resumed.")
    private boolean fallback;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            description = "A device that computes the same chunk for longer counts as failed. Default: 600.")
    private Long patience;

    @Option(
            names = "--mixed-tiers",
            description = "Allow exact devices together with devices that only keep the error bound. Which device"
                    + " computes a row is left to chance, and then shows in the row's last bits.")
    private boolean mixedTiers;

    @Option(
            names = "--no-spot-checks",
            description = "Don't compute rows again on java to notice a device that gives wrong values. Default: up to"
                    + " 2 %% of the time of one core goes into that.")
    private boolean noSpotChecks;

    @Option(
            names = "--json",
            paramLabel = "F.json",
            description = "Write what was done, and how long it took, to F.json.")
    private Path json;

    /** Rejects values that no run can have. */
    public void check(boolean overwrite, Path... inputs) {
        if (patience != null && (patience < 1 || patience > LONGEST)) {
            throw new InvalidInputException("--patience: expected 1 to " + LONGEST + " seconds, found " + patience);
        }
        if (json != null) {
            OutputFile.check(json, overwrite, List.of(".json"), inputs);
        }
    }

    public boolean resumes() {
        return resume;
    }

    boolean hasFallback() {
        return fallback;
    }

    /**
     * Returns how long a device may compute a chunk, if that was given.
     *
     * @param isIndivisible whether the default would be wrong, because a chunk may take any time
     */
    Optional<Duration> patience(boolean isIndivisible) {
        if (patience == null && isIndivisible) {
            return Optional.of(Duration.ofSeconds(LONGEST));
        }
        return Optional.ofNullable(patience).map(Duration::ofSeconds);
    }

    boolean mixesTiers() {
        return mixedTiers;
    }

    /** Returns whether rows are computed again to notice wrong values. */
    boolean checksRows() {
        return !noSpotChecks;
    }

    /** Returns the file for the report, or null. */
    public Path json() {
        return json;
    }
}
