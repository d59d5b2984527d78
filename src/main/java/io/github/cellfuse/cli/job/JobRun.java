package io.github.cellfuse.cli.job;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.BatchJob;
import io.github.cellfuse.batch.BatchListener;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.batch.Journal;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.Coverage;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Runs a batch job that writes a file: with a journal if there are several chunks, so that an interrupted run can be
 * continued.
 *
 * @param <F> the file
 */
public final class JobRun<F extends JobFile> {
    private final Path target;
    private final boolean overwrite;
    private final JobOptions options;
    private final JobBatch<F> batch;
    private final Consumer<String> say, warn;
    private BatchJob job; // null before it begins

    /**
     * Prepares a run; nothing is written yet.
     *
     * @param say receives messages
     * @param warn receives what a user has to know
     */
    public JobRun(
            Path target,
            boolean overwrite,
            JobOptions options,
            JobBatch<F> batch,
            Consumer<String> say,
            Consumer<String> warn) {
        this.target = target;
        this.overwrite = overwrite;
        this.options = options;
        this.batch = batch;
        this.say = say;
        this.warn = warn;
    }

    /**
     * Computes the output, closes the devices and returns what was done.
     *
     * @param listener receives what happens
     */
    public BatchReport run(BatchListener listener) {
        try {
            return write(listener);
        } finally {
            batch.close(device -> job != null && job.isHung(device));
        }
    }

    private BatchReport write(BatchListener listener) {
        if (!batch.isResumable()) {
            if (overwrite && !Pipes.isPipe(target)) {
                deleteBegun();
            }
            return writeAtOnce(listener);
        }
        Path journalFile = Journal.of(target);
        boolean continues = options.resumes() && Files.exists(journalFile);
        if (batch.chunkRows() >= batch.rows() && !Files.exists(journalFile)) {
            return writeAtOnce(listener);
        }
        Map<String, String> facts = batch.identity().facts();
        try (Journal journal =
                continues ? Journal.open(journalFile, facts) : Journal.create(journalFile, facts, overwrite)) {
            if (continues && wasRenamed(target)) {
                undoRenaming(journal);
            }
            return resumable(journal, continues, listener);
        }
    }

    /** Deletes what an earlier run has begun, and this one can't continue. */
    private void deleteBegun() {
        Path journalFile = Journal.of(target);
        try {
            if (Files.deleteIfExists(journalFile)) {
                Files.deleteIfExists(AtomicFile.unfinished(target));
            }
        } catch (IOException e) {
            throw Problems.io(journalFile, "deleting", e);
        }
    }

    private BatchReport writeAtOnce(BatchListener listener) {
        try (F file = batch.create(target, overwrite)) {
            BatchReport report = compute(file, null, listener);
            file.commit();
            return report;
        }
    }

    /** Returns whether a run ended after it had given the output its name, but before it had deleted the journal. */
    public static boolean wasRenamed(Path target) {
        return Files.exists(Journal.of(target)) && Files.exists(target) && !Files.exists(AtomicFile.unfinished(target));
    }

    /** Makes the output an unfinished one again, to be checked: a user may have written another one meanwhile. */
    private void undoRenaming(Journal journal) {
        Coverage finished = new Coverage();
        journal.entries().forEach(entry -> finished.add(entry.firstRow(), entry.firstRow() + entry.rows()));
        boolean isComplete = finished.firstMissing() == batch.rows();
        if (!isComplete && !overwrite) {
            throw new InvalidInputException(target + " already exists; use --overwrite to replace it");
        }
        if (isComplete) {
            try {
                Path real = target.toRealPath();
                Files.move(real, AtomicFile.unfinished(target), StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                throw Problems.io(target, "renaming", e);
            }
        }
    }

    /** Rejects an output that another run has begun. */
    public static void checkNothingIsBegun(Path target) {
        Path journalFile = Journal.of(target);
        if (Files.exists(journalFile)) {
            throw new InvalidInputException(journalFile
                    + ": an unfinished run of this output is there; continue it with --resume, or start over with"
                    + " --overwrite");
        }
    }

    private BatchReport resumable(Journal journal, boolean continues, BatchListener listener) {
        try (F file = batch.resumable(target, overwrite, continues)) {
            if (continues) {
                say.accept("continuing an unfinished run; checking the rows that are finished");
            }
            try {
                BatchReport report = compute(file, journal, listener);
                // The journal has every row before the output has its name: see wasRenamed.
                job.checkpoint();
                file.commit();
                journal.delete();
                return report;
            } finally {
                forgetIfEmpty(journal, file);
            }
        }
    }

    /** A run without a finished row can't be continued, and leaves nothing. */
    private static boolean forgetIfEmpty(Journal journal, JobFile file) {
        if (!journal.entries().isEmpty()) {
            return false;
        }
        file.delete();
        journal.delete();
        return true;
    }

    /** @param journal null if the run can't be continued */
    private BatchReport compute(F file, Journal journal, BatchListener listener) {
        job = new BatchJob(batch.engines(file), batch.rows(), batch.output(file), batch.chunkRows(), batch.fewestRows())
                .withListener(listener);
        batch.limit().ifPresent(job::withLimit);
        batch.window().ifPresent(rows -> job.withWindow(rows, batch::endReading));
        options.patience(batch.isIndivisible()).ifPresent(job::withPatience);
        if (options.mixesTiers()) {
            job.withMixedTiers();
        }
        if (!options.checksRows()) {
            job.withoutSpotChecks();
        }
        if (options.hasFallback()) {
            job.withFallback(() -> {
                BatchEngine<?, ?> java = batch.openFallback(file);
                warn.accept("going on with java, as no other device is left");
                return java;
            });
        }
        if (journal != null) {
            job.withJournal(journal);
        }
        Thread hook = new Thread(() -> interrupted(journal, file), "cellfuse-interrupted");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return job.run();
        } finally {
            removeOrWait(hook);
        }
    }

    /** Ends the run while the process ends, for example after Ctrl-C. */
    private void interrupted(Journal journal, JobFile file) {
        job.cancel();
        if (journal != null && !forgetIfEmpty(journal, file)) {
            long done =
                    journal.entries().stream().mapToLong(Journal.Entry::rows).sum();
            warn.accept("interrupted; about " + Math.min(done, batch.rows()) + " of "
                    + Numbers.count(batch.rows(), "row")
                    + " are finished; to go on, repeat the command with --resume");
        }
    }

    /** If the process is ending, waits for its end: the hook says what a user has to know, and nothing else should. */
    private static void removeOrWait(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) {
            while (true) {
                LockSupport.park();
            }
        }
    }
}
