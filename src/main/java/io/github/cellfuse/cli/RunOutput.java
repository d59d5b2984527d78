package io.github.cellfuse.cli;

import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.format.ArraySink;
import io.github.cellfuse.format.NpyWriter;
import io.github.cellfuse.format.NpzWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A run's results on their way into one file, which appears when they are committed. */
final class RunOutput implements ChunkSink, AutoCloseable {
    /** The endings that {@link #create} knows. */
    static final List<String> SUFFIXES = List.of(".npy", ".npz");

    private final RunShape shape;
    private final ArraySink y;
    private final Optional<States> states;
    private final Runnable commit;
    private final Runnable close;

    /** h_n and c_n, where the file takes them. */
    private record States(ArraySink hidden, ArraySink cell) {}

    private RunOutput(RunShape shape, ArraySink y, Optional<States> states, Runnable commit, Runnable close) {
        this.shape = shape;
        this.y = y;
        this.states = states;
        this.commit = commit;
        this.close = close;
    }

    /** Starts {@code target}: an archive of y, h_n and c_n, or y alone, by its ending. */
    static RunOutput create(Path target, boolean overwrite, RunShape shape) {
        if (!target.toString().toLowerCase(Locale.ROOT).endsWith(".npz")) {
            NpyWriter file = NpyWriter.create(target, overwrite, shape.output());
            return new RunOutput(shape, file, Optional.empty(), file::commit, file::close);
        }
        NpzWriter file = NpzWriter.create(target, overwrite);
        try {
            ArraySink y = file.add("y", shape.output());
            States states = new States(file.add("h_n", shape.hidden()), file.add("c_n", shape.cell()));
            return new RunOutput(shape, y, Optional.of(states), file::commit, file::close);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    @Override
    public void write(long firstRow, LstmOutput output) {
        int rows = output.rows();
        shape.outputBlocks().write(y, firstRow, rows, output.y());
        states.ifPresent(to -> {
            FloatBuffer h = FloatBuffer.wrap(output.finalState().h());
            FloatBuffer c = FloatBuffer.wrap(output.finalState().c());
            shape.hiddenBlocks().write(to.hidden(), firstRow, rows, h);
            shape.cellBlocks().write(to.cell(), firstRow, rows, c);
        });
    }

    /** Gives the file its name: every row has been written. */
    void commit() {
        commit.run();
    }

    /** Leaves nothing behind, unless it was committed. */
    @Override
    public void close() {
        close.run();
    }
}
