package io.github.cellfuse.cli.run;

import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.zip.CRC32C;

/** Writes the results of a run to one file, which appears when they are committed. */
final class RunOutput implements ChunkSink, AutoCloseable {
    /** The file name endings that {@link #create} accepts. */
    static final List<String> SUFFIXES = List.of(".npy", ".npz");

    private final RunShape shape;
    private final ArraySink y;
    private final List<Target> states;
    private final Runnable force;
    private final Runnable commit;
    private final Runnable close;

    /** An array of states in the file, and the states of a run that belong there. */
    private record Target(ArraySink sink, RunShape.States array, Function<LstmState, float[]> values) {}

    private RunOutput(
            RunShape shape, ArraySink y, List<Target> states, Runnable force, Runnable commit, Runnable close) {
        this.shape = shape;
        this.y = y;
        this.states = states;
        this.force = force;
        this.commit = commit;
        this.close = close;
    }

    /** Starts a file. Its ending decides whether it is an archive of y, h_n and c_n, or only y. */
    static RunOutput create(Path target, boolean overwrite, RunShape shape) {
        if (!target.toString().toLowerCase(Locale.ROOT).endsWith(".npz")) {
            NpyWriter file = NpyWriter.create(target, overwrite, shape.output());
            return new RunOutput(shape, file, List.of(), file::force, file::commit, file::close);
        }
        NpzWriter file = NpzWriter.create(target, overwrite);
        try {
            ArraySink y = file.add("y", shape.output());
            List<Target> states = new ArrayList<>();
            for (RunShape.States h : shape.hidden()) {
                states.add(new Target(file.add("h_n" + h.suffix(), shape.shape(h)), h, LstmState::h));
            }
            for (RunShape.States c : shape.cell()) {
                states.add(new Target(file.add("c_n" + c.suffix(), shape.shape(c)), c, LstmState::c));
            }
            return new RunOutput(shape, y, states, file::force, file::commit, file::close);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    @Override
    public int write(long firstRow, LstmOutput output) {
        int rows = output.rows();
        CRC32C checksum = new CRC32C();
        shape.outputBlocks().write(y, firstRow, rows, output.y(), checksum);
        for (Target to : states) {
            FloatBuffer part = to.array().part(to.values().apply(output.finalState()), rows);
            to.array().blocks(shape.rows()).write(to.sink(), firstRow, rows, part, checksum);
        }
        return (int) checksum.getValue();
    }

    @Override
    public int checksum(long firstRow, int rows) {
        CRC32C checksum = new CRC32C();
        shape.outputBlocks().checksum(y, firstRow, rows, checksum);
        for (Target of : states) {
            of.array().blocks(shape.rows()).checksum(of.sink(), firstRow, rows, checksum);
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
