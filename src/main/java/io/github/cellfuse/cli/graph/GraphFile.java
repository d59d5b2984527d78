package io.github.cellfuse.cli.graph;

import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The output file of a graph: an archive or a single array. */
record GraphFile(GraphOutput.Factory factory, Runnable committing, Runnable closing)
        implements GraphOutput.Factory, AutoCloseable {

    static GraphFile create(Path target, boolean isArchive, boolean overwrite) {
        if (isArchive) {
            NpzWriter file = NpzWriter.create(target, overwrite);
            return new GraphFile((name, type, shape) -> file.add(entry(name), type, shape), file::commit, file::close);
        }
        List<NpyWriter> file = new ArrayList<>();
        return new GraphFile(
                (name, type, shape) -> {
                    file.add(NpyWriter.create(target, overwrite, type, shape));
                    return file.get(0);
                },
                () -> file.get(0).commit(),
                () -> file.forEach(NpyWriter::close));
    }

    @Override
    public ArraySink create(String name, ElementType type, long... shape) {
        return factory.create(name, type, shape);
    }

    void commit() {
        committing.run();
    }

    @Override
    public void close() {
        closing.run();
    }

    /** Returns the name of a value's archive entry. Slashes become underscores, since they would mean folders. */
    static String entry(String name) {
        return name.replaceAll("[/\\\\]", "_");
    }
}
