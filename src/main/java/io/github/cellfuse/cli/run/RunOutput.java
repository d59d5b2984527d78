package io.github.cellfuse.cli.run;

import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;

/** Writes the results of a run to one file, which appears when they are committed. */
final class RunOutput implements ChunkSink, AutoCloseable {
    /** The file name endings that {@link #create} accepts. */
    static final List<String> SUFFIXES = List.of(".npy", ".npz");

    private final List<Target> targets;
    private final Runnable force;
    private final Runnable commit;
    private final Runnable close;

    /** An array, and its place in the file. */
    private record Target(RunArray array, ArraySink sink) {}

    private RunOutput(List<Target> targets, Runnable force, Runnable commit, Runnable close) {
        this.targets = targets;
        this.force = force;
        this.commit = commit;
        this.close = close;
    }

    /** Returns whether a file of this name holds several arrays; another one holds a single array. */
    static boolean isArchive(Path target) {
        return target.toString().toLowerCase(Locale.ROOT).endsWith(".npz");
    }

    /** Starts a file of {@code arrays}: exactly one, unless its name says that it is an archive. */
    static RunOutput create(Path target, boolean overwrite, List<RunArray> arrays) {
        if (!isArchive(target)) {
            RunArray array = arrays.get(0);
            NpyWriter file = NpyWriter.create(target, overwrite, array.shape());
            return new RunOutput(List.of(new Target(array, file)), file::force, file::commit, file::close);
        }
        NpzWriter file = NpzWriter.create(target, overwrite);
        try {
            List<Target> targets = new ArrayList<>();
            for (RunArray array : arrays) {
                targets.add(new Target(array, file.add(array.name(), array.shape())));
            }
            return new RunOutput(targets, file::force, file::commit, file::close);
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
    public void force() {
        force.run();
    }

    /** Makes the file appear under its name, after every row has been written. */
    void commit() {
        commit.run();
    }

    /** Deletes the file unless it was committed. */
    @Override
    public void close() {
        close.run();
    }
}
