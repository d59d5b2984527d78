package io.github.cellfuse.cli.graph;

import io.github.cellfuse.batch.ChunkInput;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.Map;

/** The inputs of some rows of a graph: those of the first calls, which are read ahead, and memory for later ones. */
final class GraphChunk implements ChunkInput {
    private final GraphCalls calls;
    private final Map<String, GraphInput.Memory> memory;
    private long firstRow, rows;

    GraphChunk(GraphCalls calls) {
        this.calls = calls;
        memory = calls.inputs().newMemory();
    }

    @Override
    public void read(long from, int count) {
        firstRow = from;
        rows = count;
        of(0, calls.groups(count).size(0));
    }

    long firstRow() {
        return firstRow;
    }

    long rows() {
        return rows;
    }

    /** Returns the data of some calls, in memory that the next calls use again. What is there isn't read again. */
    Map<String, Tensor> of(long call, int count) {
        return calls.inputs().read(calls.rows(), firstRow, rows, call, count, memory);
    }

    /** A graph consists of any operators. */
    @Override
    public long flops() {
        return 0;
    }
}
