package io.github.cellfuse.onnx;

import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.SparseTensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * Makes the sparse tensors of a model dense, so that all other code sees one kind of constants: the sparse initializers
 * of all graphs become initializers, and the {@code sparse_value} of a Constant its {@code value}. A few bytes can
 * declare terabytes, so the dense tensors of a model have a limit.
 */
final class SparseTensors {
    private final OnnxTensors tensors;
    private final long most;
    private long total;

    private SparseTensors(OnnxTensors tensors, long most) {
        this.tensors = tensors;
        this.most = most;
    }

    /**
     * Returns the model with dense tensors; the same object if it has no sparse ones.
     *
     * @throws InvalidInputException when a sparse tensor is invalid, or all together would be too large
     */
    static ModelProto dense(OnnxTensors tensors, ModelProto model) {
        return dense(tensors, model, Runtime.getRuntime().maxMemory() / 4);
    }

    /** Does the same with another limit for the bytes of all dense tensors. */
    static ModelProto dense(OnnxTensors tensors, ModelProto model, long most) {
        SparseTensors all = new SparseTensors(tensors, most);
        GraphProto graph = all.dense(model.getGraph()).orElse(model.getGraph());
        ModelProto.Builder changed =
                graph == model.getGraph() ? null : model.toBuilder().setGraph(graph);
        for (int k = 0; k < model.getFunctionsCount(); k++) {
            Optional<FunctionProto> function = all.dense(model.getFunctions(k));
            if (function.isPresent()) {
                changed = changed == null ? model.toBuilder() : changed;
                changed.setFunctions(k, function.get());
            }
        }
        return changed == null ? model : changed.build();
    }

    private Optional<FunctionProto> dense(FunctionProto function) {
        FunctionProto.Builder changed = null;
        for (int k = 0; k < function.getNodeCount(); k++) {
            Optional<NodeProto> node = dense(OnnxNode.of(tensors.model(), k, function.getNode(k)));
            if (node.isPresent()) {
                changed = changed == null ? function.toBuilder() : changed;
                changed.setNode(k, node.get());
            }
        }
        return Optional.ofNullable(changed).map(FunctionProto.Builder::build);
    }

    /** Returns the changed graph, or nothing if it has no sparse tensor. */
    private Optional<GraphProto> dense(GraphProto graph) {
        GraphProto.Builder changed = graph.getSparseInitializerCount() == 0
                ? null
                : graph.toBuilder().clearSparseInitializer();
        for (SparseTensorProto sparse : graph.getSparseInitializerList()) {
            String name = sparse.getValues().getName();
            changed.addInitializer(
                    dense("sparse initializer " + Problems.quote(name), sparse).setName(name));
        }
        for (int k = 0; k < graph.getNodeCount(); k++) {
            Optional<NodeProto> node = dense(OnnxNode.of(tensors.model(), k, graph.getNode(k)));
            if (node.isPresent()) {
                changed = changed == null ? graph.toBuilder() : changed;
                changed.setNode(k, node.get());
            }
        }
        return Optional.ofNullable(changed).map(GraphProto.Builder::build);
    }

    private Optional<NodeProto> dense(OnnxNode node) {
        NodeProto.Builder changed = null;
        for (int k = 0; k < node.proto().getAttributeCount(); k++) {
            Optional<AttributeProto> attribute = dense(node, node.proto().getAttribute(k));
            if (attribute.isPresent()) {
                changed = changed == null ? node.proto().toBuilder() : changed;
                changed.setAttribute(k, attribute.get());
            }
        }
        return Optional.ofNullable(changed).map(NodeProto.Builder::build);
    }

    private Optional<AttributeProto> dense(OnnxNode node, AttributeProto attribute) {
        if (node.is("Constant") && attribute.getName().equals("sparse_value") && attribute.hasSparseTensor()) {
            return Optional.of(AttributeProto.newBuilder()
                    .setName("value")
                    .setType(AttributeType.TENSOR)
                    .setT(dense(node.label() + ": sparse_value", attribute.getSparseTensor()))
                    .build());
        }
        AttributeProto.Builder changed = null;
        if (attribute.hasG()) {
            Optional<GraphProto> graph = dense(attribute.getG());
            if (graph.isPresent()) {
                changed = attribute.toBuilder().setG(graph.get());
            }
        }
        for (int g = 0; g < attribute.getGraphsCount(); g++) {
            Optional<GraphProto> graph = dense(attribute.getGraphs(g));
            if (graph.isPresent()) {
                changed = changed == null ? attribute.toBuilder() : changed;
                changed.setGraphs(g, graph.get());
            }
        }
        return Optional.ofNullable(changed).map(AttributeProto.Builder::build);
    }

    private TensorProto.Builder dense(String label, SparseTensorProto sparse) {
        long[] shape = sparse.getDimsList().stream().mapToLong(Long::longValue).toArray();
        if (shape.length == 0) {
            throw invalid(label, "dims: expected at least one dimension, found none");
        }
        TensorValues values = tensors.values(sparse.getValues());
        int size = values.type().element().bytes();
        ByteBuffer dense = allocate(label, shape, size);
        int[] elements = elements(label, sparse, shape, values.count());
        BitSet seen = new BitSet();
        for (int k = 0; k < elements.length; k++) {
            if (seen.get(elements[k])) {
                throw invalid(label, "indices: expected each element once, found element " + elements[k] + " twice");
            }
            seen.set(elements[k]);
            dense.put(elements[k] * size, values.bytes(), k * size, size);
        }
        return TensorProto.newBuilder()
                .addAllDims(sparse.getDimsList())
                .setDataType(values.type().code())
                .setRawData(UnsafeByteOperations.unsafeWrap(dense));
    }

    /** Returns zeros for a dense tensor, if all together stay within the limit. */
    private ByteBuffer allocate(String label, long[] shape, int size) {
        String what = tensors.model() + ": " + label + ", dims " + Problems.shape(shape);
        long bytes = Sizes.product(what, Sizes.product(what, shape), size);
        if (bytes > Math.min(most - total, OnnxTensors.LARGEST_ARRAY)) {
            throw invalid(
                    label,
                    "dims: expected at most " + Math.min(most - total, OnnxTensors.LARGEST_ARRAY)
                            + " bytes, what is left of a quarter of Java's heap, found " + Problems.shape(shape) + ", "
                            + bytes + " bytes; unless the file is damaged, start Java with a larger -Xmx");
        }
        total += bytes;
        return ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns for each value the number of its element in C order. */
    private int[] elements(String label, SparseTensorProto sparse, long[] shape, int count) {
        checkShape(label + ": values", sparse.getValues(), count);
        long[] indices = tensors.longs(sparse.getIndices());
        if (sparse.getIndices().getDimsCount() != 2) {
            checkShape(label + ": indices", sparse.getIndices(), count);
            long[] flat = {Sizes.product("", shape)};
            return elements(label, indices, flat, count);
        }
        checkShape(label + ": indices", sparse.getIndices(), count, shape.length);
        return elements(label, indices, shape, count);
    }

    private int[] elements(String label, long[] indices, long[] shape, int count) {
        int[] elements = new int[count];
        int rank = shape.length;
        for (int k = 0; k < count; k++) {
            long element = 0;
            for (int axis = 0; axis < rank; axis++) {
                long index = indices[k * rank + axis];
                if (index < 0 || index >= shape[axis]) {
                    throw invalid(
                            label,
                            "indices: expected numbers from 0 to " + (shape[axis] - 1)
                                    + (rank == 1 ? "" : " for dimension " + axis) + ", found " + index);
                }
                element = element * shape[axis] + index;
            }
            elements[k] = (int) element;
        }
        return elements;
    }

    private void checkShape(String label, TensorProto tensor, long... expected) {
        long[] found = tensors.shape(tensor);
        if (!Arrays.equals(expected, found)) {
            throw invalid(label, "expected shape " + Problems.shape(expected) + ", found " + Problems.shape(found));
        }
    }

    private InvalidInputException invalid(String label, String what) {
        return Problems.invalid(tensors.model(), label + ": " + what);
    }
}
