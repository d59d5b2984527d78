package io.github.cellfuse.cli.graph;

import io.github.cellfuse.cli.Pipes;
import io.github.cellfuse.cli.SpooledOutput;
import io.github.cellfuse.cli.job.JobFile;
import io.github.cellfuse.format.file.ArrayFile;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.format.npy.NpzWriter;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The output file of a graph: an archive or a single array. The first results determine the shapes of the arrays, so
 * the file is made then. Thread safe.
 */
final class GraphFile implements JobFile {
    private final List<GraphArray> arrays;
    private final Path target;
    /** The way of {@link #target} into a pipe, if the output is one. */
    private final Optional<SpooledOutput> spooled;

    private final boolean isArchive, overwrite, isResumable, isContinued;
    private ArrayFile file; // null before the plan

    private GraphFile(
            Path target,
            Optional<SpooledOutput> spooled,
            boolean isArchive,
            boolean overwrite,
            boolean isResumable,
            boolean isContinued,
            List<GraphArray> arrays) {
        this.target = target;
        this.spooled = spooled;
        this.isArchive = isArchive;
        this.overwrite = overwrite;
        this.isResumable = isResumable;
        this.isContinued = isContinued;
        this.arrays = arrays;
    }

    /**
     * Starts a file that appears when it is committed, or not at all; then it goes into a pipe, if that is the target.
     */
    static GraphFile create(Path target, boolean isArchive, boolean overwrite, List<GraphArray> arrays) {
        Optional<SpooledOutput> spooled = Pipes.isPipe(target)
                ? Optional.of(new SpooledOutput(target, isArchive ? "out.npz" : "out.npy"))
                : Optional.empty();
        return new GraphFile(
                spooled.map(SpooledOutput::file).orElse(target), spooled, isArchive, overwrite, false, false, arrays);
    }

    /**
     * Starts a file that stays unfinished until it is committed, or continues one.
     *
     * @param isContinued whether to keep what an unfinished file holds; there need not be one
     */
    static GraphFile resumable(
            Path target, boolean isArchive, boolean overwrite, boolean isContinued, List<GraphArray> arrays) {
        return new GraphFile(target, Optional.empty(), isArchive, overwrite, true, isContinued, arrays);
    }

    /** Returns a file without arrays, which is never made. */
    static GraphFile none() {
        return new GraphFile(null, Optional.empty(), true, false, false, false, List.of());
    }

    private ArraySink add(String name, ElementType type, long... shape) {
        if (!isArchive) {
            NpyWriter only = isResumable
                    ? NpyWriter.resumable(target, overwrite, isContinued, type, shape)
                    : NpyWriter.create(target, overwrite, type, shape);
            file = only;
            return only;
        }
        if (file == null) {
            file = isResumable
                    ? NpzWriter.resumable(target, overwrite, isContinued)
                    : NpzWriter.create(target, overwrite);
        }
        return ((NpzWriter) file).add(entry(name), type, shape);
    }

    /** Returns whether the file may be continued later. */
    boolean isResumable() {
        return isResumable;
    }

    /** Returns the arrays. Plan them before anything is written. */
    List<GraphArray> arrays() {
        return arrays;
    }

    /**
     * Makes the file for results such as these; has no effect if it is made already.
     *
     * @param results the outputs by name, of some calls with some of the rows
     * @param count the number of rows
     * @param calls the number of calls, which are one after the other along the axis of the rows
     */
    synchronized void plan(Map<String, Tensor> results, long count, int calls) {
        if (file != null || arrays.isEmpty()) {
            return;
        }
        for (GraphArray array : arrays) {
            array.plan(results.get(array.name()), count, calls, this::add);
        }
        if (!isResumable) {
            file.reserve(); // for a resumable one, after what it holds has been marked
        }
    }

    @Override
    public int checksum(long firstRow, int rows) {
        CRC32C checksum = new CRC32C();
        arrays.forEach(array -> array.checksum(firstRow, rows, checksum));
        return (int) checksum.getValue();
    }

    @Override
    public void markWritten(long firstRow, int rows) {
        arrays.forEach(array -> array.markWritten(firstRow, rows));
    }

    /** Does nothing to a file that isn't made yet: it gets its space then. */
    @Override
    public synchronized void reserve() {
        if (file != null) {
            file.reserve();
        }
    }

    @Override
    public void force() {
        made().force();
    }

    private synchronized ArrayFile made() {
        return file;
    }

    @Override
    public void commit() {
        made().commit();
        spooled.ifPresent(SpooledOutput::send);
    }

    @Override
    public synchronized void delete() {
        if (file != null) {
            file.delete();
        }
        spooled.ifPresent(SpooledOutput::close);
    }

    @Override
    public synchronized void close() {
        if (file != null) {
            file.close();
        }
        spooled.ifPresent(SpooledOutput::close);
    }

    /** Returns the name of a value's archive entry. Slashes become underscores, since they would mean folders. */
    static String entry(String name) {
        return name.replaceAll("[/\\\\]", "_");
    }
}
