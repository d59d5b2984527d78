package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.model;
import static io.github.cellfuse.onnx.Graphs.node;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnknownFieldSet;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.OperatorSetIdProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxFileTest {
    private static final Path NAME = Path.of("model.onnx");
    private static final int ROUNDS = 500;

    @TempDir
    Path folder;

    static List<String> names() {
        return Cases.names();
    }

    @ParameterizedTest
    @MethodSource("names")
    void readsWhatPyTorchExports(String name) throws IOException {
        OnnxFile file = OnnxFile.open(Cases.file(name + ".onnx"));
        // Fields that the schema doesn't name, such as documentation, are kept.
        assertEquals(ModelProto.parseFrom(Files.readAllBytes(Cases.file(name + ".onnx"))), file.model());
        assertEquals(name.contains("opset") ? Integer.parseInt(name.substring(11)) : 14, file.opset());
        assertFalse(file.inputs().isEmpty());
    }

    @Test
    void inputsWithAnInitializerNeedNoValue() {
        OnnxFile file = OnnxFile.of(
                NAME,
                model(
                        graph(List.of("x", "w"), List.of("y"))
                                .addInitializer(Graphs.floats("w", new float[1], 1))
                                .addNode(node("Add", List.of("x", "w"), "y")),
                        13));
        assertEquals(
                List.of("x"),
                file.inputs().stream().map(ValueInfoProto::getName).toList());
    }

    @Test
    void nodesAreSorted() {
        OnnxFile file = OnnxFile.of(
                NAME,
                model(
                        graph(List.of("x"), List.of("d"))
                                .addInput(Graphs.value("choice", DataType.BOOL_VALUE))
                                .addNode(node("Neg", List.of("c"), "d"))
                                .addNode(node("Abs", List.of("x"), "a"))
                                .addNode(node("If", List.of("choice"), "c")
                                        .addAttribute(attribute("then_branch", branch("b")))
                                        .addAttribute(attribute("else_branch", branch("x"))))
                                .addNode(node("Exp", List.of("a"), "b")),
                        13));
        assertEquals(
                List.of("Abs", "Exp", "If", "Neg"),
                file.graph().getNodeList().stream().map(NodeProto::getOpType).toList());
        NodeProto condition = file.graph().getNode(2);
        assertEquals(
                List.of("Neg", "Sqrt"),
                condition.getAttribute(0).getG().getNodeList().stream()
                        .map(NodeProto::getOpType)
                        .toList());
    }

    /** A branch of two nodes in the wrong order that uses {@code outer}. */
    private static GraphProto.Builder branch(String outer) {
        return graph(List.of(), List.of("inner"))
                .addNode(node("Sqrt", List.of("between"), "inner"))
                .addNode(node("Neg", List.of(outer), "between"));
    }

    @Test
    void sortedModelsStayAsTheyAre() {
        ModelProto model = model(graph(List.of("x"), List.of("y")).addNode(node("Neg", List.of("x"), "y")), 13);
        assertSame(model, OnnxFile.of(NAME, model).model());
    }

    @Test
    void otherDomainsAndTypesAreLetThrough() {
        GraphProto.Builder graph = graph(List.of("x"), List.of("y"))
                .addNode(node("Magic", List.of("x"), "y").setDomain("com.example"))
                .addInput(ValueInfoProto.newBuilder()
                        .setName("list")
                        .setType(TypeProto.newBuilder()
                                .setUnknownFields(UnknownFieldSet.newBuilder()
                                        .addField(
                                                4,
                                                UnknownFieldSet.Field.newBuilder()
                                                        .addLengthDelimited(ByteString.EMPTY)
                                                        .build())
                                        .build())));
        ModelProto model = ModelProto.newBuilder()
                .setIrVersion(7)
                .setGraph(graph)
                .addOpsetImport(
                        OperatorSetIdProto.newBuilder().setDomain("com.example").setVersion(1))
                .build();
        assertEquals(0, OnnxFile.of(NAME, model).opset());
    }

    @Test
    void modelsOfTheFirstVersionsHaveOpset1() {
        GraphProto.Builder graph = graph(List.of("x"), List.of("y")).addNode(node("Neg", List.of("x"), "y"));
        ModelProto model =
                model(graph, 1).toBuilder().clearOpsetImport().setIrVersion(2).build();
        assertEquals(1, OnnxFile.of(NAME, model).opset());
        refused(model.toBuilder().setIrVersion(3).build(), "opset of ai.onnx", "found none");
    }

    @Test
    void refusesOpsetsThatContradict() {
        ModelProto good = model(graph(List.of("x"), List.of("x")), 13);
        refused(
                good.toBuilder()
                        .addOpsetImport(OperatorSetIdProto.newBuilder()
                                .setDomain("ai.onnx")
                                .setVersion(14))
                        .build(),
                "one opset",
                "ai.onnx");
        refused(model(graph(List.of("x"), List.of("x")), 0), "expected 1 or more, found 0");
    }

    @Test
    void refusesWrongNames() {
        refused(graph(List.of("x"), List.of("y")), "output 'y'", "one that nothing defines");
        refused(graph(List.of("x", "x"), List.of("x")), "input 'x'", "found two");
        refused(graph(List.of("x", ""), List.of("x")), "every input", "empty");
        refused(
                graph(List.of("x"), List.of("x"))
                        .addInitializer(Graphs.longs("w", 1))
                        .addInitializer(Graphs.longs("w", 1)),
                "initializer 'w'",
                "found two");
        refused(
                graph(List.of("x"), List.of("y")).addNode(node("Neg", List.of("z"), "y")),
                "node 0 (Neg)",
                "input 'z'",
                "one that nothing defines");
        refused(
                graph(List.of("x"), List.of("y"))
                        .addNode(node("Neg", List.of("x"), "y"))
                        .addNode(node("Abs", List.of("x"), "y").setName("again")),
                "node 'again' (Abs)",
                "output 'y'",
                "already defined");
        refused(
                graph(List.of("x"), List.of("x")).addNode(node("Abs", List.of("x"), "x")),
                "node 0 (Abs)",
                "output 'x'");
        refused(graph(List.of("x"), List.of("x")).addNode(node("", List.of("x"), "y")), "node 0", "empty op_type");
    }

    @Test
    void refusesCycles() {
        refused(
                graph(List.of("x"), List.of("e"))
                        .addNode(node("Neg", List.of("x"), "a"))
                        .addNode(node("Abs", List.of("d"), "e").setName("behind"))
                        .addNode(node("Add", List.of("a", "d"), "b").setName("first"))
                        .addNode(node("Exp", List.of("b"), "d").setName("second")),
                "cycle",
                "node 'first' (Add)",
                "node 'second' (Exp)");
        refused(graph(List.of("x"), List.of("y")).addNode(node("Add", List.of("x", "y"), "y")), "cycle", "node 0");
        // Through the outside of a subgraph.
        refused(
                graph(List.of("x"), List.of("y"))
                        .addNode(node("If", List.of("x"), "y").addAttribute(attribute("then_branch", branch("y")))),
                "cycle",
                "node 0 (If)");
    }

    @Test
    void refusesWrongSubgraphs() {
        GraphProto.Builder outer = graph(List.of("x"), List.of("y"));
        refused(
                outer.clone()
                        .addNode(node("If", List.of("x"), "y")
                                .setName("choice")
                                .addAttribute(attribute("then_branch", branch("nowhere")))),
                "node 'choice' (If)",
                "subgraph",
                "'nowhere'");
        refused(
                outer.clone()
                        .addNode(node("Loop", List.of("x"), "y")
                                .addAttribute(attribute("body", branch("x").addInput(Graphs.value("inner"))))),
                "node 0 (Loop), body",
                "node 0 (Sqrt)",
                "'inner'");
        assertEquals(
                1,
                OnnxFile.of(
                                NAME,
                                model(
                                        outer.clone()
                                                .addInput(Graphs.value("choice", DataType.BOOL_VALUE))
                                                .addNode(node("If", List.of("choice"), "y")
                                                        .addAttribute(attribute("then_branch", branch("x")))
                                                        .addAttribute(attribute("else_branch", branch("x")))),
                                        13))
                        .graph()
                        .getNodeCount());
    }

    @Test
    void refusesMissingTypes() {
        GraphProto.Builder graph =
                graph(List.of(), List.of()).addInput(ValueInfoProto.newBuilder().setName("x"));
        refused(graph, "input 'x'", "expected a type");
        refused(
                graph(List.of("x"), List.of())
                        .addOutput(ValueInfoProto.newBuilder().setName("x")),
                "output 'x'",
                "expected a type");
    }

    @Test
    void refusesOtherFiles() throws IOException {
        Path path = folder.resolve("other.onnx");
        assertRefused(() -> OnnxFile.open(path), path, "no such file");
        assertRefused(() -> OnnxFile.open(folder), folder, "found a folder");
        Files.write(path, new byte[0]);
        assertRefused(() -> OnnxFile.open(path), path, "found one with no graph");
        Files.writeString(path, "<!DOCTYPE html><html><head><title>404</title></head></html>");
        assertRefused(() -> OnnxFile.open(path), path, "expected an ONNX file");
        Files.write(path, Files.readAllBytes(Cases.file("lstm.npz")));
        assertRefused(() -> OnnxFile.open(path), path, "expected an ONNX file");
    }

    @Test
    void refusesMoreThanProtobufHolds() throws IOException {
        Path path = folder.resolve("huge.onnx");
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.allocate(1), 1L << 31);
        }
        assertRefused(() -> OnnxFile.open(path), path, "at most 2147483647 bytes", "external data");
    }

    /** Two bytes a node. */
    @Test
    void refusesGraphsThatGrowInMemory() throws IOException {
        byte[] nodes = new byte[1 << 20];
        for (int k = 0; k < nodes.length; k += 2) {
            nodes[k] = 1 << 3 | 2;
        }
        ByteString bomb = message(7, nodes);
        assertRefused(() -> WireScan.check(NAME, bomb, 10_000_000), NAME, "524289 fields", "-Xmx");
        WireScan.check(NAME, bomb, 200_000_000);
        // Numbers of one byte that take eight.
        ByteString numbers = message(
                7, message(5, message(7, new byte[1 << 20]).toByteArray()).toByteArray());
        assertRefused(() -> WireScan.check(NAME, numbers, 8_000_000), "1048576 packed numbers");
        WireScan.check(NAME, numbers, 9_000_000);
        // The bytes of raw_data stay where they are.
        WireScan.check(
                NAME,
                message(
                        7,
                        message(5, message(9, new byte[1 << 20]).toByteArray()).toByteArray()),
                10_000);
    }

    @Test
    void refusesDeepMessages() throws IOException {
        byte[] inner = new byte[0];
        for (int depth = 0; depth < 100; depth++) {
            // A graph with a node with an attribute that is a graph.
            inner = message(1, message(5, message(6, inner).toByteArray()).toByteArray())
                    .toByteArray();
        }
        Path path = Files.write(folder.resolve("deep.onnx"), message(7, inner).toByteArray());
        assertRefused(() -> OnnxFile.open(path), path, "nested deeper than 100 levels");
        // A group, which may be as deep.
        Path group = Files.write(folder.resolve("group.onnx"), new byte[] {15 << 3 | 3, 15 << 3 | 3});
        assertRefused(() -> OnnxFile.open(group), group, "expected an ONNX file");
    }

    private static ByteString message(int field, byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeByteArray(field, content);
        out.flush();
        return ByteString.copyFrom(bytes.toByteArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "packed"})
    void refusesFilesThatAreCutAnywhere(String name) throws IOException {
        byte[] good = Files.readAllBytes(Cases.file(name + ".onnx"));
        Path path = folder.resolve("cut.onnx");
        int whole = 0;
        for (int length = 0; length < good.length; length++) {
            Files.write(path, Arrays.copyOf(good, length));
            whole += readOrRefused(path, "length " + length) ? 1 : 0;
        }
        // Only what stands behind the graph can be missing without being missed, the opset not among it.
        assertEquals(0, whole);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lstm", "packed", "lstm_opset_7", "classifier", "streaming"})
    void readsOrRefusesDamagedFiles(String name) throws IOException {
        byte[] good = Files.readAllBytes(Cases.file(name + ".onnx"));
        long seed = TestEngines.seed(11000);
        System.err.println("OnnxFileTest: -Dcellfuse.seed=" + seed);
        Random random = new Random(seed);
        Path path = folder.resolve("damaged.onnx");
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = good.clone();
            for (int wounds = 1 + random.nextInt(3); wounds > 0; wounds--) {
                int at = random.nextInt(bytes.length);
                switch (random.nextInt(3)) {
                    case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                    case 1 -> bytes[at] = (byte) random.nextInt(256);
                    default -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 4), (byte) -random.nextInt(2));
                }
            }
            Files.write(path, bytes);
            refused += readOrRefused(path, "-Dcellfuse.seed=" + seed + ", round " + round) ? 0 : 1;
        }
        assertTrue(refused > ROUNDS / 10, "refused only " + refused + " of " + ROUNDS + ", seed " + seed);
    }

    /** Everything that there is to read; anything but a refusal in one line is a failure. */
    private static boolean readOrRefused(Path path, String what) {
        try {
            OnnxFile file = OnnxFile.open(path);
            for (TensorProto tensor : file.graph().getInitializerList()) {
                file.tensors().floats(tensor);
            }
            LstmChains.of(path, file.graph(), file.opset(), file.constants(), file.tensors());
            try {
                OnnxLstm.load(path);
            } catch (InvalidInputException e) {
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
            }
            return true;
        } catch (InvalidInputException e) {
            assertFalse(e.getMessage().contains("\n"), e.getMessage());
            assertTrue(e.getMessage().contains(path.toString()), e.getMessage());
            return false;
        } catch (Throwable e) {
            return fail(what, e);
        }
    }

    private static void refused(GraphProto.Builder graph, Object... parts) {
        refused(model(graph, 13), parts);
    }

    private static void refused(ModelProto model, Object... parts) {
        assertRefused(() -> OnnxFile.of(NAME, model), parts);
        assertRefused(() -> OnnxFile.of(NAME, model), NAME);
    }
}
