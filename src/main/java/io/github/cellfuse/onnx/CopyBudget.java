package io.github.cellfuse.onnx;

import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;

/**
 * Adds up what the copies of functions' bodies take, and throws when it is too much: a few functions that call each
 * other twice can demand terabytes. Copies share the bytes of their tensors in memory, but not in a model that is
 * written for ONNX Runtime. Not thread safe.
 */
final class CopyBudget {
    /** A generous estimate of the bytes of a field in memory, as in {@link WireScan}. */
    private static final long FIELD = 160;

    /** The most bytes of a character in a written name. */
    private static final int CHARACTER = 3;

    private final Object file;
    private final long mostMemory;
    private long memory;
    private long written;

    /**
     * Makes a budget.
     *
     * @param written the bytes of the model without the copies
     * @param mostMemory the limit for the memory of the copies
     */
    CopyBudget(Object file, long written, long mostMemory) {
        this.file = file;
        this.written = written;
        this.mostMemory = mostMemory;
    }

    /** Returns the number of fields of a graph. */
    static long fields(GraphProto graph) {
        long fields = graph.getInputCount() + graph.getOutputCount() + graph.getInitializerCount();
        for (NodeProto node : graph.getNodeList()) {
            fields += 1L + node.getInputCount() + node.getOutputCount() + node.getAttributeCount();
            for (GraphProto inner : Subgraphs.of(node)) {
                fields += fields(inner);
            }
        }
        return fields;
    }

    /** Adds a copy of this many fields, which takes {@code bytes} when it is written. */
    void copy(FunctionProto function, long fields, long bytes) {
        memory += fields * FIELD;
        written += bytes;
        check(function);
    }

    /** Adds a name in a copy. */
    void name(FunctionProto function, String name) {
        memory += name.length();
        written += (long) CHARACTER * name.length();
        check(function);
    }

    private void check(FunctionProto function) {
        if (memory > mostMemory) {
            throw invalid(function, mostMemory / 1_000_000 + " MB, a quarter of Java's heap");
        }
        if (written > Integer.MAX_VALUE) {
            throw invalid(function, Integer.MAX_VALUE + " bytes, the limit of protobuf");
        }
    }

    private RuntimeException invalid(FunctionProto function, String limit) {
        return Problems.invalid(
                file,
                Functions.label(function) + ": expected a graph of at most " + limit
                        + ", with the calls of its functions replaced by their nodes, found a larger one");
    }
}
