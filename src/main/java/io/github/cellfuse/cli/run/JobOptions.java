package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.batch.BatchJob;
import io.github.cellfuse.cli.OutputFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Option;

/** The options of a run that takes long: what happens when a device, the process or the machine fails. */
final class JobOptions {
    /** The options' names, for commands that have to refuse them. */
    static final String[] NAMES = {"--resume", "--fallback", "--patience", "--mixed-tiers", "--no-spot-checks", "--json"
    };

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
    private long patience = BatchJob.PATIENCE.toSeconds();

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
    void check(boolean overwrite, Path... inputs) {
        if (patience < 1 || patience > LONGEST) {
            throw new InvalidInputException("--patience: expected 1 to " + LONGEST + " seconds, found " + patience);
        }
        if (json != null) {
            OutputFile.check(json, overwrite, List.of(".json"), inputs);
        }
    }

    boolean resumes() {
        return resume;
    }

    boolean hasFallback() {
        return fallback;
    }

    Duration patience() {
        return Duration.ofSeconds(patience);
    }

    boolean mixesTiers() {
        return mixedTiers;
    }

    /** Returns whether rows are computed again to notice wrong values. */
    boolean checksRows() {
        return !noSpotChecks;
    }

    /** Returns the file for the report, or null. */
    Path json() {
        return json;
    }
}
