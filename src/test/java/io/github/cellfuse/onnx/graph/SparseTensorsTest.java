package io.github.cellfuse.onnx.graph;

import static io.github.cellfuse.onnx.graph.Protos.constant;
import static io.github.cellfuse.onnx.graph.Protos.flag;
import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.graph;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.AttributeProto.AttributeType;
import io.github.cellfuse.onnx.Onnx.FunctionProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.SparseTensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.OnnxLstm;
import io.github.cellfuse.onnx.OnnxTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sparse initializers and constants, against ONNX Runtime, which knows them, too. */
class SparseTensorsTest {
    private static final int T = 4, N = 2, I = 3, H = 5;

    @TempDir
    Path folder;

    private Random random;

    @BeforeEach
    void seed() {
        long seed = TestEngines.seed(20260402);
        System.out.println("SparseTensorsTest: -Dcellfuse.seed=" + seed);
        random = new Random(seed);
    }

    /** About half of the elements of a tensor of float32, named by their coordinates or by their numbers. */
    private SparseTensorProto sparse(TensorProto dense, boolean byCoordinates) {
        float[] all = new OnnxTensors(folder).floats(dense);
        List<Float> values = new ArrayList<>();
        List<Long> indices = new ArrayList<>();
        int rank = dense.getDimsCount();
        for (int k = 0; k < all.length; k++) {
            if (random.nextBoolean()) {
                continue;
            }
            values.add(all[k]);
            if (!byCoordinates) {
                indices.add((long) k);
                continue;
            }
            long rest = k;
            int at = indices.size();
            for (int axis = rank - 1; axis >= 0; axis--) {
                indices.add(at, rest % dense.getDims(axis));
                rest /= dense.getDims(axis);
            }
        }
        TensorProto.Builder positions = TensorProto.newBuilder()
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(values.size())
                .addAllInt64Data(indices);
        if (byCoordinates) {
            positions.addDims(rank);
        }
        return SparseTensorProto.newBuilder()
                .setValues(TensorProto.newBuilder()
                        .setName(dense.getName())
                        .setDataType(TensorProto.DataType.FLOAT_VALUE)
                        .addDims(values.size())
                        .addAllFloatData(values))
                .setIndices(positions)
                .addAllDims(dense.getDimsList())
                .build();
    }

    /** Makes the initializers sparse, in both ways by turns. */
    private void makeSparse(GraphProto.Builder graph) {
        List<TensorProto> dense = List.copyOf(graph.getInitializerList());
        graph.clearInitializer();
        for (int k = 0; k < dense.size(); k++) {
            graph.addSparseInitializer(sparse(dense.get(k), k % 2 == 0));
        }
    }

    private Map<String, Tensor> x() {
        return Map.of("x", Tensors.random(random, T, N, I));
    }

    private GraphProto.Builder lstmGraph() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", "time", "batch", I))
                .addOutput(floats("out", "time", 1, "batch", H));
        weights(graph, "a", random, 1, I, H);
        return graph;
    }

    private Path write(GraphProto.Builder graph) {
        return Protos.write(folder, graph);
    }

    @Test
    void anLstmWithSparseWeightsRunsOnTheDevice() {
        GraphProto.Builder graph = lstmGraph();
        graph.addInitializer(constant("k", Tensors.random(random, H)))
                .addNode(lstm("a", "x", H))
                .addNode(node("Mul", "mul", List.of("a.y", "k"), List.of("out")));
        makeSparse(graph);
        OnnxModel model = GraphOracle.assertSame(write(graph), x());
        assertEquals("[a]{Mul=1}", GraphOracle.parts(model));
        assertEquals(List.of(), model.kept());
    }

    @Test
    void aFileOfLstmsLoadsInPlainJava() {
        GraphProto.Builder graph = lstmGraph().addNode(lstm("a", "x", H));
        graph.setOutput(0, floats("a.y", "time", 1, "batch", H));
        makeSparse(graph);
        assertEquals(H, OnnxLstm.load(write(graph)).outputSize());
    }

    @Test
    void sparseTensorsOfABranchBecomeItsConstants() {
        for (boolean isFixed : new boolean[] {true, false}) {
            GraphProto.Builder graph = GraphProto.newBuilder()
                    .addInput(floats("x", "time", "batch", I))
                    .addOutput(floats("out", "time", 1, "batch", H));
            GraphProto.Builder branch = GraphProto.newBuilder().addOutput(floats("t"));
            weights(branch, "a", random, 1, I, H);
            branch.addNode(lstm("a", "x", H)).addNode(node("Neg", "neg", List.of("a.y"), List.of("t")));
            makeSparse(branch);
            if (isFixed) {
                graph.addInitializer(flag("c", true));
            } else {
                graph.addInput(value("c", ElementType.BOOL));
            }
            graph.addNode(node(
                    "If",
                    "if",
                    List.of("c"),
                    List.of("out"),
                    graph("then_branch", branch.clone()),
                    graph("else_branch", branch)));
            Map<String, Tensor> inputs = new LinkedHashMap<>(x());
            if (!isFixed) {
                inputs.put("c", new Tensor(ElementType.BOOL, ByteBuffer.allocateDirect(1)));
            }
            OnnxModel model = GraphOracle.assertSame(write(graph), inputs);
            assertEquals(isFixed ? "[a]{Neg=1}" : "{If=1}", GraphOracle.parts(model));
        }
    }

    private NodeProto sparseConstant(String output, Tensor value, boolean byCoordinates) {
        return node(
                "Constant",
                output,
                List.of(),
                List.of(output),
                AttributeProto.newBuilder()
                        .setName("sparse_value")
                        .setType(AttributeType.SPARSE_TENSOR)
                        .setSparseTensor(sparse(constant("", value), byCoordinates))
                        .build());
    }

    @Test
    void sparseConstantsAreConstants() {
        GraphProto.Builder graph = lstmGraph();
        graph.removeInitializer(0)
                .addNode(sparseConstant("a.W", Tensors.random(random, 1, 4 * H, I), false))
                .addNode(lstm("a", "x", H))
                .addNode(sparseConstant("k", Tensors.random(random, 1, H), false))
                .addNode(node("Mul", "mul", List.of("a.y", "k"), List.of("out")));
        OnnxModel model = GraphOracle.assertSame(write(graph), x());
        assertEquals("[a]{Mul=1}", GraphOracle.parts(model));
    }

    /**
     * ONNX Runtime 1.29 copies from a wrong address now and then when it opens a function with sparse constants: a
     * thousand sessions of such a model ended the JVM (SIGSEGV), a thousand with dense ones didn't. So it gets those.
     */
    @Test
    void sparseConstantsOfAFunctionAreConstants() throws IOException {
        GraphProto.Builder graph = lstmGraph();
        graph.addNode(
                node("F", "f", List.of("x", "a.R"), List.of("out")).toBuilder().setDomain("own"));
        List<NodeProto> sparse = List.of(
                sparseConstant("a.W", Tensors.random(random, 1, 4 * H, I), false),
                sparseConstant("a.B", Tensors.random(random, 1, 8 * H), false));
        List<NodeProto> dense =
                sparse.stream().map(SparseTensorsTest::denseConstant).toList();
        assertEquals(
                "[f/a]{Neg=1}",
                GraphOracle.parts(GraphOracle.assertSameAs(
                        write("dense.onnx", graph, dense), write("sparse.onnx", graph, sparse), x())));
    }

    /** Returns the node with its zeros written out. */
    private static NodeProto denseConstant(NodeProto sparse) {
        SparseTensorProto tensor = sparse.getAttribute(0).getSparseTensor();
        long[] shape = tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
        float[] all = new float[Tensor.size(ElementType.INT8, shape)];
        for (int k = 0; k < tensor.getIndices().getInt64DataCount(); k++) {
            all[(int) tensor.getIndices().getInt64Data(k)] = tensor.getValues().getFloatData(k);
        }
        return Protos.constantNode(sparse.getOutput(0), Tensor.of(all, shape));
    }

    /** Writes a model whose graph calls the function {@code own.F}: an LSTM with these constants for weights. */
    private Path write(String name, GraphProto.Builder graph, List<NodeProto> constants) throws IOException {
        FunctionProto.Builder function = FunctionProto.newBuilder()
                .setDomain("own")
                .setName("F")
                .addInput("x")
                .addInput("a.R")
                .addOutput("y")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(Protos.OPSET))
                .addAllNode(constants)
                .addNode(lstm("a", "x", H))
                .addNode(node("Neg", "neg", List.of("a.y"), List.of("y")));
        ModelProto model = Protos.model(graph).toBuilder()
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("own").setVersion(1))
                .addFunctions(function)
                .build();
        return Files.write(folder.resolve(name), model.toByteArray());
    }

    @Test
    void anEmptySparseTensorIsZero() {
        GraphProto.Builder graph = lstmGraph().addNode(lstm("a", "x", H));
        graph.setOutput(0, floats("a.y", "time", 1, "batch", H));
        graph.removeInitializer(2)
                .addSparseInitializer(SparseTensorProto.newBuilder()
                        .setValues(TensorProto.newBuilder()
                                .setName("a.B")
                                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                                .addDims(0))
                        .setIndices(TensorProto.newBuilder()
                                .setDataType(TensorProto.DataType.INT64_VALUE)
                                .addDims(0))
                        .addDims(1)
                        .addDims(8 * H));
        assertEquals("[a]", GraphOracle.parts(GraphOracle.assertSame(write(graph), x())));
    }

    private static SparseTensorProto.Builder tensor(long[] dims, float[] values, long[] indices, long... indexShape) {
        SparseTensorProto.Builder sparse = SparseTensorProto.newBuilder()
                .setValues(TensorProto.newBuilder()
                        .setName("w")
                        .setDataType(TensorProto.DataType.FLOAT_VALUE)
                        .addDims(values.length));
        for (float each : values) {
            sparse.getValuesBuilder().addFloatData(each);
        }
        sparse.getIndicesBuilder().setDataType(TensorProto.DataType.INT64_VALUE);
        for (long each : indices) {
            sparse.getIndicesBuilder().addInt64Data(each);
        }
        for (long each : indexShape) {
            sparse.getIndicesBuilder().addDims(each);
        }
        for (long each : dims) {
            sparse.addDims(each);
        }
        return sparse;
    }

    private static void assertRefused(SparseTensorProto.Builder sparse, String... parts) {
        ModelProto model = Protos.model(GraphProto.newBuilder()
                .addOutput(floats("y"))
                .addSparseInitializer(sparse)
                .addNode(node("Neg", "neg", List.of("w"), List.of("y"))));
        String message = assertThrows(InvalidInputException.class, () -> OnnxFile.of(Path.of("model.onnx"), model))
                .getMessage();
        assertFalse(message.contains("\n"), message);
        for (String part : parts) {
            assertTrue(message.contains(part), "expected '" + part + "' in: " + message);
        }
    }

    @Test
    void invalidTensorsAreRefused() {
        float[] two = {1, 2};
        long[] dims = {2, 3};
        String label = "model.onnx: sparse initializer 'w': ";
        assertRefused(
                tensor(dims, two, new long[] {0, 6}, 2), label + "indices: expected numbers from 0 to 5, found 6");
        assertRefused(
                tensor(dims, two, new long[] {0, -1}, 2), label + "indices: expected numbers from 0 to 5, found -1");
        assertRefused(
                tensor(dims, two, new long[] {0, 0, 1, 3}, 2, 2),
                label + "indices: expected numbers from 0 to 2 for dimension 1, found 3");
        assertRefused(
                tensor(dims, two, new long[] {4, 4}, 2),
                label + "indices: expected each element once, found element 4 twice");
        assertRefused(tensor(dims, two, new long[] {4}, 1), label + "indices: expected shape [2], found [1]");
        assertRefused(
                tensor(dims, two, new long[] {1, 1, 1, 1, 1, 1}, 2, 3),
                label + "indices: expected shape [2, 2], found [2, 3]");
        assertRefused(
                tensor(new long[] {}, two, new long[] {0, 1}, 2),
                label + "dims: expected at least one dimension, found none");
        assertRefused(
                tensor(new long[] {-2, 3}, two, new long[] {0, 1}, 2),
                "model.onnx: sparse initializer 'w', dims [-2, 3]: expected a size of at least 0, found -2");
        SparseTensorProto.Builder matrix = tensor(dims, two, new long[] {0, 1}, 2);
        matrix.getValuesBuilder().addDims(1);
        assertRefused(matrix, label + "values: expected shape [2], found [2, 1]");
        SparseTensorProto.Builder text = tensor(dims, two, new long[] {0, 1}, 2);
        text.getIndicesBuilder()
                .clearInt64Data()
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData(0)
                .addFloatData(1);
        assertRefused(text, "expected integers, found FLOAT");
    }

    @Test
    void bombsAreRefusedBeforeTheyAreMade() {
        float[] one = {1};
        long[] first = {0};
        assertRefused(tensor(new long[] {1L << 40, 4}, one, first, 1), "dims: expected at most", "1099511627776, 4]");
        assertRefused(tensor(new long[] {1L << 62, 4}, one, first, 1), "the size overflows 64 bits");
    }
}
