package io.github.cellfuse.cli.graph;

import static io.github.cellfuse.onnx.graph.Protos.floats;
import static io.github.cellfuse.onnx.graph.Protos.integer;
import static io.github.cellfuse.onnx.graph.Protos.lstm;
import static io.github.cellfuse.onnx.graph.Protos.node;
import static io.github.cellfuse.onnx.graph.Protos.value;
import static io.github.cellfuse.onnx.graph.Protos.weights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TensorShapeProto;
import io.github.cellfuse.onnx.Onnx.TypeProto;
import io.github.cellfuse.onnx.Onnx.ValueInfoProto;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.Protos;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Inputs and outputs of types that no run can take or return are refused before a device is opened. */
class UnsupportedTypesTest {
    private static final int STRING = 8;

    @TempDir
    Path folder;

    /** A graph with an LSTM from x to a.y. */
    private static GraphProto.Builder graph() {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .addInput(floats("x", 3, 2, 4))
                .addNode(lstm("a", "x", 5))
                .addOutput(floats("a.y", 3, 1, 2, 5));
        weights(graph, "a", new Random(3), 1, 4, 5);
        return graph;
    }

    private static ValueInfoProto strings(String name) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        shape.addDimBuilder().setDimParam("words");
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(STRING)
                                .setShape(shape)))
                .build();
    }

    /** A value that isn't a tensor: its type is in a field of this number. */
    private static ValueInfoProto other(String name, int field) {
        // A sequence or optional of float tensors: element type, tensor type, element type 1.
        ByteString floats = ByteString.copyFrom(new byte[] {10, 4, 10, 2, 8, 1});
        UnknownFieldSet.Field content =
                UnknownFieldSet.Field.newBuilder().addLengthDelimited(floats).build();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setUnknownFields(UnknownFieldSet.newBuilder()
                                .addField(field, content)
                                .build()))
                .build();
    }

    private Path x() {
        return NpyFiles.zeros(folder.resolve("x.npy"), 3, 2, 4);
    }

    /** No command and no session comes as far as a device. */
    private void assertRefused(Path model, String... parts) {
        Path x = x(), out = folder.resolve("out.npz");
        String before = NpyFiles.names(folder);
        Cli.run("run", model, "--input", "x=" + x, "-o", out, "--device", "opencl:99.99")
                .assertError(2, (Object[]) parts);
        assertEquals(before, NpyFiles.names(folder));
        String message = assertThrows(
                        InvalidInputException.class,
                        () -> OnnxModel.open(model).session(lstm -> fail("opened a device")))
                .getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> "expected '" + part + "' in: " + message);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ElementType.class,
            names = {"UINT16", "UINT32", "UINT64"})
    void inputsThatOnnxRuntimeDoesNotTake(ElementType type) {
        GraphProto.Builder graph = graph().addInput(value("n", type, 2))
                .addNode(node("Cast", "cast", List.of("n"), List.of("m"), integer("to", 1)))
                .addOutput(floats("m", 2));
        Path model = Protos.write(folder, graph);
        assertRefused(model, model + ": input 'n'", "found " + type + " [2]", "--set n=VALUE", "cast");
        assertInfo(model, "n: " + type + " [2] (can only be bound)", "inputs", 1);
        // Bound, it runs: numbers of the type's whole range, or a file.
        String largest = type == ElementType.UINT16 ? "65535" : type == ElementType.UINT32 ? "4294967295" : "65535";
        Path out = folder.resolve("m.npy"), ints = NpyFiles.ints(folder.resolve("n.npy"), 7, 40000);
        Object[] run = {"run", model, "-o", out, "--output-name", "m", "--overwrite", "--set"};
        Cli.run(append(run, "n=0," + largest)).assertDone();
        assertArrayEquals(new float[] {0, Float.parseFloat(largest)}, read(out));
        Cli.run(append(run, "n=" + ints)).assertDone();
        assertArrayEquals(new float[] {7, 40000}, read(out));
        Cli.run(append(run, "n=0,-1")).assertError(2, "--set n: expected " + type + ", found '-1'");
        Cli.run(append(run, "n=0,18446744073709551616")).assertError(2, "--set n: expected " + type);
    }

    private static Object[] append(Object[] some, Object last) {
        Object[] all = Arrays.copyOf(some, some.length + 1);
        all[some.length] = last;
        return all;
    }

    private static float[] read(Path file) {
        try (NpyArray array = NpyArray.open(file)) {
            return array.readAll();
        }
    }

    @Test
    void inputsOfText() {
        GraphProto.Builder graph = graph().addInput(strings("s"))
                .addNode(node("Shape", "shape", List.of("s"), List.of("count")))
                .addOutput(value("count", ElementType.INT64, 1));
        Path model = Protos.write(folder, graph);
        assertRefused(
                model,
                model + ": input 's': expected a tensor of numbers, found string [words]",
                "neither given nor bound",
                "--output-name");
        assertInfo(model, "s: string [words] (can't be given)", "inputs", 1);
        Cli.run("run", model, x(), "-o", folder.resolve("o.npz"), "--set", "s=a")
                .assertError(2, "--set s: expected a numeric input, found string [words]");
    }

    @ParameterizedTest
    @CsvSource({"4, sequence", "5, map", "8, sparse tensor", "9, optional value"})
    void inputsThatAreNoTensors(int field, String type) {
        Path model = Protos.write(folder, graph().addInput(other("s", field)));
        assertRefused(model, model + ": input 's': expected a tensor of numbers, found " + type + ";");
        assertInfo(model, "s: " + type + " (can't be given)" + System.lineSeparator(), "inputs", 1);
    }

    @Test
    void outputsOfText() {
        GraphProto.Builder graph = graph().addNode(
                        node("Cast", "text", List.of("x"), List.of("label"), integer("to", STRING)))
                .addOutput(strings("label"));
        Path model = Protos.write(folder, graph);
        assertRefused(
                model,
                model + ": output 'label': expected a tensor of numbers, found string [words]",
                "--output-name a.y");
        assertInfo(model, "label: string [words] (can't be written)", "outputs", 1);
        Path out = folder.resolve("y.npz");
        Cli.run("run", model, x(), "-o", out, "--output-name", "label", "--device", "opencl:99.99")
                .assertError(2, "output 'label'", "cast it in the model");
        Cli.run("run", model, x(), "-o", out, "--output-name", "a.y", "--device", "java")
                .assertDone();
        assertTrue(Files.exists(out));
    }

    @Test
    void outputsThatAreNoTensors() {
        GraphProto.Builder graph = graph().addNode(
                        node("SequenceConstruct", "both", List.of("x", "x"), List.of("both")))
                .addOutput(other("both", 4));
        Path model = Protos.write(folder, graph), out = folder.resolve("y.npy");
        assertRefused(
                model, model + ": output 'both': expected a tensor of numbers, found sequence;", "--output-name a.y");
        assertInfo(model, "both: sequence (can't be written)", "outputs", 1);
        Cli.run("run", model, x(), "-o", out, "--output-name", "a.y", "--device", "java")
                .assertDone();
    }

    private static void assertInfo(Path model, String line, String what, int index) {
        Cli.Result text = Cli.run("info", model).assertDone();
        assertTrue(text.out().contains(line), text::toString);
        JsonArray values = JsonParser.parseString(
                        Cli.run("info", model, "--json").assertDone().out())
                .getAsJsonObject()
                .getAsJsonArray(what);
        for (int k = 0; k < values.size(); k++) {
            assertEquals(
                    k != index, values.get(k).getAsJsonObject().get("supported").getAsBoolean());
        }
    }
}
