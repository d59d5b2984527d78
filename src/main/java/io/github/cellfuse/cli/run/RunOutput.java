package io.github.cellfuse.cli.run;

import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.cli.SpooledOutput;
import io.github.cellfuse.cli.job.JobFile;
import io.github.cellfuse.format.file.ArrayFile;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.npy.NpyPipe;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * Writes the results of a run to one file, which appears when they are committed. It is a temporary file until then, or
 * a resumable one, which closing keeps.
 */
final class RunOutput implements ChunkSink, JobFile {
    /** The file name endings that {@link #create} accepts. */
    static final List<String> SUFFIXES = List.of(".npy", ".npz");

    private final List<Target> targets;
    private final ArrayFile file;

    /** An array, and its place in the file. */
    private record Target(RunArray array, ArraySink sink) {}

    private RunOutput(List<Target> targets, ArrayFile file) {
        this.targets = targets;
        this.file = file;
    }

    /** Returns whether a file of this name holds several arrays; another one holds a single array. */
    static boolean isArchive(Path target) {
        return target.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
    }

    /** Starts a file of {@code arrays}: exactly one, unless its name says that it is an archive. */
    static RunOutput create(Path target, boolean overwrite, List<RunArray> arrays) {
        if (Pipes.isPipe(target)) {
            return toPipe(target, arrays);
        }
        if (isArchive(target)) {
            return of(NpzWriter.create(target, overwrite), arrays);
        }
        RunArray array = arrays.get(0);
        return of(NpyWriter.create(target, overwrite, array.shape()), array);
    }

    /** Rows that come one after another are written as they come; others through a temporary file. */
    private static RunOutput toPipe(Path target, List<RunArray> arrays) {
        RunArray array = arrays.get(0);
        if (arrays.size() == 1 && !isArchive(target) && array.blocks().outer() == 1) {
            NpyPipe pipe = new NpyPipe(Pipes.outputName(target), Pipes.write(target), array.shape());
            return new RunOutput(List.of(new Target(array, pipe)), pipe);
        }
        SpooledOutput spooled = new SpooledOutput(target, isArchive(target) ? "out.npz" : "out.npy");
        RunOutput file = create(spooled.file(), false, arrays);
        return new RunOutput(file.targets, new SpooledArrays(file.file, spooled));
    }

    /** A temporary file that goes into a pipe. */
    private record SpooledArrays(ArrayFile file, SpooledOutput spooled) implements ArrayFile {
        @Override
        public void reserve() {
            file.reserve();
        }

        @Override
        public void force() {
            file.force();
        }

        @Override
        public void commit() {
            file.commit();
            spooled.send();
        }

        @Override
        public void delete() {
            close();
        }

        @Override
        public void close() {
            file.close();
            spooled.close();
        }
    }

    /**
     * Starts a file like {@link #create} that stays unfinished, as {@code OUT.partial}, unless it is committed, or
     * continues it. Mark what it holds already, then {@link #reserve()} space for the rest.
     *
     * @param isContinued whether to keep what an unfinished file holds; there need not be one
     */
    static RunOutput resumable(Path target, boolean overwrite, boolean isContinued, List<RunArray> arrays) {
        if (isArchive(target)) {
            return of(NpzWriter.resumable(target, overwrite, isContinued), arrays);
        }
        RunArray array = arrays.get(0);
        return of(NpyWriter.resumable(target, overwrite, isContinued, array.shape()), array);
    }

    private static RunOutput of(NpyWriter file, RunArray array) {
        return new RunOutput(List.of(new Target(array, file)), file);
    }

    private static RunOutput of(NpzWriter file, List<RunArray> arrays) {
        try {
            List<Target> targets = new ArrayList<>();
            for (RunArray array : arrays) {
                targets.add(new Target(array, file.add(array.name(), array.shape())));
            }
            return new RunOutput(targets, file);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    @Override
    public boolean needsY() {
        return targets.stream().anyMatch(target -> target.array().needsY());
    }

    @Override
    public int write(long firstRow, LstmOutput output) {
        CRC32C checksum = new CRC32C();
        for (Target to : targets) {
            RunArray array = to.array();
            array.blocks()
                    .write(to.sink(), firstRow, output.rows(), array.values().of(firstRow, output), checksum);
        }
        return (int) checksum.getValue();
    }

    @Override
    public int checksum(long firstRow, int rows) {
        CRC32C checksum = new CRC32C();
        for (Target of : targets) {
            of.array().blocks().checksum(of.sink(), firstRow, rows, checksum);
        }
        return (int) checksum.getValue();
    }

    @Override
    public void markWritten(long firstRow, int rows) {
        for (Target of : targets) {
            of.array().blocks().markWritten(of.sink(), firstRow, rows);
        }
    }

    @Override
    public void reserve() {
        file.reserve();
    }

    @Override
    public void force() {
        file.force();
    }

    @Override
    public void commit() {
        file.commit();
    }

    @Override
    public void delete() {
        file.delete();
    }

    @Override
    public void close() {
        file.close();
    }
}
