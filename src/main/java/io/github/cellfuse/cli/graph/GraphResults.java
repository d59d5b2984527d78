package io.github.cellfuse.cli.graph;

import io.github.cellfuse.batch.ChunkOutput;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** The results of some rows of a graph, on their way to the file. */
final class GraphResults implements ChunkOutput {
    private final GraphCalls calls;
    private final GraphFile file;
    private final Map<String, ByteBuffer> memory = new HashMap<>();
    /** The results that are to be written; empty if they are in the file already. */
    private Map<String, Tensor> results = Map.of();

    GraphResults(GraphCalls calls, GraphFile file) {
        this.calls = calls;
        this.file = file;
    }

    GraphFile file() {
        return file;
    }

    /** Returns memory for an output, which is used again for the next chunk. */
    ByteBuffer place(String name, int bytes) {
        ByteBuffer buffer = memory.get(name);
        if (buffer == null || buffer.capacity() < bytes) {
            buffer = ByteBuffer.allocateDirect(bytes);
            memory.put(name, buffer);
        }
        return buffer.slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    /**
     * Keeps results to be written.
     *
     * @param found the outputs by name, in memory that isn't used again before {@link #write}
     */
    void keep(Map<String, Tensor> found) {
        results = found;
    }

    @Override
    public int write(long firstRow, int rows) {
        if (!results.isEmpty()) {
            file.plan(results, rows, 1);
            for (GraphArray array : file.arrays()) {
                array.new Joiner().add(results.get(array.name()), firstRow, rows, 0, 1, calls.lengths());
            }
            results = Map.of();
        }
        return file.isResumable() ? file.checksum(firstRow, rows) : 0;
    }
}
