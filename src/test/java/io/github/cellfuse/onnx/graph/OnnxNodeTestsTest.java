package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.NodeProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.OnnxFile;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** ONNX's own tests of the operator LSTM as whole graphs: their weights are inputs, which are bound to constants. */
class OnnxNodeTestsTest {
    private static final Path FOLDER = Path.of("/usr/share/libonnx-testdata/data/node");

    @BeforeAll
    static void areInstalled() {
        Assumptions.assumeTrue(
                Files.exists(FOLDER) || Files.exists(Path.of("/etc/debian_version")),
                "not run: only Debian and its relatives have the package libonnx-testdata");
        assertTrue(Files.exists(FOLDER), "apt install libonnx-testdata (bin/setup --tests does it)");
    }

    static List<String> names() throws IOException {
        if (!Files.exists(FOLDER)) {
            return List.of("none");
        }
        try (Stream<Path> folders = Files.list(FOLDER)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .filter(name -> name.startsWith("test_lstm_"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void givesWhatOnnxExpects(String name) throws IOException {
        Path path = FOLDER.resolve(name).resolve("model.onnx");
        OnnxFile file = OnnxFile.open(path);
        Map<String, Tensor> inputs = new HashMap<>();
        for (int k = 0; k < file.inputs().size(); k++) {
            inputs.put(file.inputs().get(k).getName(), read(file, name, "input_" + k));
        }
        NodeProto node = file.graph().getNode(0);
        Map<String, Binding> weights = new HashMap<>();
        for (int k : new int[] {1, 2, 3, 7}) {
            if (k < node.getInputCount() && inputs.containsKey(node.getInput(k))) {
                weights.put(node.getInput(k), Binding.of(inputs.remove(node.getInput(k))));
            }
        }
        OnnxModel model = OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(weights));
        assertEquals(1, model.lstms().size());
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                Map<String, Tensor> found = session.run(inputs);
                for (int k = 0; k < model.outputs().size(); k++) {
                    String output = model.outputs().get(k).name();
                    Tensors.assertClose(
                            device + " " + output, read(file, name, "output_" + k), found.get(output), 1e-6);
                }
            }
        }
    }

    private static Tensor read(OnnxFile file, String name, String array) throws IOException {
        Path path = FOLDER.resolve(name).resolve("test_data_set_0").resolve(array + ".pb");
        TensorProto proto = TensorProto.parseFrom(Files.readAllBytes(path));
        return new Tensor(
                OnnxTypes.ofCode(proto.getDataType()).orElseThrow(),
                file.tensors().bytes(proto).order(ByteOrder.LITTLE_ENDIAN),
                file.tensors().shape(proto));
    }
}
