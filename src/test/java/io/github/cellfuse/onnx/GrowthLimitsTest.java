package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.model;
import static io.github.cellfuse.onnx.Graphs.node;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.SparseTensorProto;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The limits for models that grow when they are opened. */
class GrowthLimitsTest {
    private static final Path NAME = Path.of("model.onnx");
    private static final long MEMORY = 1 << 20;

    /** Functions that each call the next one twice, so that the call of the first takes 2^levels nodes. */
    private static ModelProto doubling(int levels) {
        ModelProto.Builder model = model(
                graph(List.of("x"), List.of("y"))
                        .addNode(node("F0", List.of("x"), "y").setDomain("own")),
                13)
                .toBuilder();
        for (int k = 0; k <= levels; k++) {
            FunctionProto.Builder function = FunctionProto.newBuilder()
                    .setDomain("own")
                    .setName("F" + k)
                    .addInput("x")
                    .addOutput("y")
                    .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13));
            if (k < levels) {
                function.addNode(node("F" + (k + 1), List.of("x"), "t").setDomain("own"))
                        .addNode(node("F" + (k + 1), List.of("t"), "y").setDomain("own"));
            } else {
                function.addNode(node("Neg", List.of("x"), "y"));
            }
            model.addFunctions(function);
        }
        return model.build();
    }

    @Test
    void functionsThatDoubleAreRefused() {
        assertEquals(
                1 << 8,
                FunctionInlining.inline(NAME, doubling(8), MEMORY).getGraph().getNodeCount());
        for (int levels : new int[] {12, 30, 60}) {
            assertRefused(
                    () -> FunctionInlining.inline(NAME, doubling(levels), MEMORY),
                    "model.onnx: function 'own.F",
                    "': expected a graph of at most 1 MB, a quarter of Java's heap");
        }
    }

    @Test
    void sparseTensorsTogetherHaveALimit() {
        GraphProto.Builder graph = graph(List.of(), List.of("w0"));
        OnnxTensors tensors = new OnnxTensors(NAME);
        int each = 1 << 14;
        for (int k = 0; k < 16; k++) {
            graph.addSparseInitializer(SparseTensorProto.newBuilder()
                    .setValues(Graphs.floats("w" + k, new float[] {k}, 1))
                    .setIndices(Graphs.longs("", k))
                    .addDims(each));
        }
        ModelProto dense = SparseTensors.dense(tensors, model(graph, 13), MEMORY);
        assertEquals(16, dense.getGraph().getInitializerCount());
        assertEquals(7f, tensors.floats(dense.getGraph().getInitializer(7))[7]);
        assertRefused(
                () -> SparseTensors.dense(tensors, model(graph, 13), MEMORY - 1),
                "model.onnx: sparse initializer 'w15': dims: expected at most 65535 bytes, what is left of a quarter of"
                        + " Java's heap, found [16384], 65536 bytes");
    }
}
