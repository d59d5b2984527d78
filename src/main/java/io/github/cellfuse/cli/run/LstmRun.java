package io.github.cellfuse.cli.run;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.batch.BatchJob;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.batch.ChunkSource;
import io.github.cellfuse.batch.Journal;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.Progress;
import io.github.cellfuse.format.file.AtomicFile;
import io.github.cellfuse.format.file.Coverage;
import io.github.cellfuse.format.file.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * Runs a bare LSTM over files: on one or several devices, with a journal if there are several chunks, so that an
 * interrupted run can be continued.
 */
final class LstmRun {
    private final Path target;
    private final boolean overwrite;
    private final JobOptions options;
    private final DeviceOption device;
    private final RunRows rows;
    private final RunShape shape;
    private final List<RunArray> arrays;
    private final Consumer<String> say, warn;
    private final List<LstmEngine> opened = new ArrayList<>();
    private BatchJob job; // null before it begins

    /**
     * Prepares a run; nothing is written yet.
     *
     * @param say receives messages
     * @param warn receives what devices fail at
     */
    LstmRun(
            Path target,
            boolean overwrite,
            JobOptions options,
            DeviceOption device,
            RunRows rows,
            RunShape shape,
            List<RunArray> arrays,
            Consumer<String> say,
            Consumer<String> warn) {
        this.target = target;
        this.overwrite = overwrite;
        this.options = options;
        this.device = device;
        this.rows = rows;
        this.shape = shape;
        this.arrays = arrays;
        this.say = say;
        this.warn = warn;
    }

    /**
     * Computes the output and returns what was done.
     *
     * @param engines the devices; closed at the end, except those that hang
     * @param identity returns what has to be the same when a run is continued
     * @param display makes a progress display, for the rows that are done already
     */
    BatchReport run(
            List<LstmEngine> engines,
            Function<LstmEngine, Map<String, String>> identity,
            LongFunction<Progress> display) {
        opened.addAll(engines);
        try {
            return write(engines, identity, display);
        } finally {
            opened.stream().filter(engine -> job == null || !job.isHung(engine)).forEach(LstmEngine::close);
        }
    }

    private BatchReport write(
            List<LstmEngine> engines,
            Function<LstmEngine, Map<String, String>> identity,
            LongFunction<Progress> display) {
        Path journalFile = Journal.of(target);
        boolean continues = options.resumes() && Files.exists(journalFile);
        if (rows.chunking().count() == 1 && !Files.exists(journalFile)) {
            // All rows at once, which the session sorts.
            try (RunOutput sink = RunOutput.create(target, overwrite, arrays)) {
                job = new BatchJob(engines, rows.source(), sink, rows.chunking().chunkRows());
                BatchReport report = compute(sink, null, display);
                sink.commit();
                return report;
            }
        }
        Map<String, String> facts = identity.apply(engines.get(0));
        try (Journal journal =
                continues ? Journal.open(journalFile, facts) : Journal.create(journalFile, facts, overwrite)) {
            if (continues && wasRenamed(target)) {
                undoRenaming(journal);
            }
            return resumable(engines, journal, continues, display);
        }
    }

    /** Returns whether a run ended after it had given the output its name, but before it had deleted the journal. */
    static boolean wasRenamed(Path target) {
        return Files.exists(Journal.of(target)) && Files.exists(target) && !Files.exists(AtomicFile.unfinished(target));
    }

    /** Makes the output an unfinished one again, to be checked: a user may have written another one meanwhile. */
    private void undoRenaming(Journal journal) {
        Coverage finished = new Coverage();
        journal.entries().forEach(entry -> finished.add(entry.firstRow(), entry.firstRow() + entry.rows()));
        boolean isComplete = finished.firstMissing() == shape.rows();
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
    static void checkNothingIsBegun(Path target) {
        Path journalFile = Journal.of(target);
        if (Files.exists(journalFile)) {
            throw new InvalidInputException(journalFile
                    + ": an unfinished run of this output is there; continue it with --resume, or start over with"
                    + " --overwrite");
        }
    }

    private BatchReport resumable(
            List<LstmEngine> engines, Journal journal, boolean continues, LongFunction<Progress> display) {
        try (RunOutput sink = RunOutput.resumable(target, overwrite, continues, arrays)) {
            if (continues) {
                say.accept("continuing an unfinished run; checking the rows that are finished");
            }
            try {
                ChunkSource source = rows.order().map(LengthOrder::source).orElse(rows.source());
                ChunkSink inOrder = rows.order().map(by -> by.sink(sink)).orElse(sink);
                job = new BatchJob(engines, source, inOrder, rows.chunking().chunkRows())
                        .withLimit(rows.limit())
                        .withJournal(journal);
                BatchReport report = compute(sink, journal, display);
                // The journal has every row before the output has its name: see wasRenamed.
                job.checkpoint();
                sink.commit();
                journal.delete();
                return report;
            } finally {
                forgetIfEmpty(journal, sink);
            }
        }
    }

    /** A run without a finished row can't be continued, and leaves nothing. */
    private static boolean forgetIfEmpty(Journal journal, RunOutput sink) {
        if (!journal.entries().isEmpty()) {
            return false;
        }
        sink.delete();
        journal.delete();
        return true;
    }

    /** @param journal null if the run can't be continued */
    private BatchReport compute(RunOutput sink, Journal journal, LongFunction<Progress> display) {
        job.withPatience(options.patience());
        if (options.mixesTiers()) {
            job.withMixedTiers();
        }
        if (options.hasFallback()) {
            job.withFallback(() -> {
                LstmEngine java = device.openFallback(shape.model());
                opened.add(java);
                warn.accept("going on with java, as no other device is left");
                return java;
            });
        }
        Thread hook = new Thread(() -> interrupted(journal, sink), "cellfuse-interrupted");
        Runtime.getRuntime().addShutdownHook(hook);
        try (JobDisplay shown = new JobDisplay(display, warn)) {
            return job.withListener(shown).run();
        } finally {
            removeOrWait(hook);
        }
    }

    /** Ends the run while the process ends, for example after Ctrl-C. */
    private void interrupted(Journal journal, RunOutput sink) {
        job.cancel();
        if (journal != null && !forgetIfEmpty(journal, sink)) {
            long done =
                    journal.entries().stream().mapToLong(Journal.Entry::rows).sum();
            warn.accept("interrupted; about " + Math.min(done, shape.rows()) + " of "
                    + Numbers.count(shape.rows(), "row")
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
