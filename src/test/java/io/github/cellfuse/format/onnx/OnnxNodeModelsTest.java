package io.github.cellfuse.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmState;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.format.onnx.Onnx.ModelProto;
import io.github.cellfuse.format.onnx.Onnx.TensorProto;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** ONNX's own tests of the operator LSTM, whose weights are inputs there, on every device: Debian's package libonnx-testdata. */
class OnnxNodeModelsTest {
    private static final Path FOLDER = Path.of("/usr/share/libonnx-testdata/data/node");

    /** ONNX's answers are float32. */
    private static final double TOLERANCE = 1e-6;

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
        Path folder = FOLDER.resolve(name), data = folder.resolve("test_data_set_0");
        OnnxFile file = OnnxFile.open(folder.resolve("model.onnx"));
        OnnxTensors tensors = file.tensors();
        Map<String, TensorProto> inputs = read(file.model(), data, "input", true);
        Map<String, TensorProto> outputs = read(file.model(), data, "output", false);
        LstmNode node = LstmNode.of(
                file.nodes().get(0), file.opset(), input -> Optional.ofNullable(inputs.get(input)), tensors);

        boolean isBatchMajor = node.layout() == Layout.BATCH_MAJOR;
        Optional<int[]> lengths = node.sequenceLens().map(length -> {
            long[] values = tensors.longs(inputs.get(length));
            return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
        });
        Oracle oracle = new Oracle(
                node.layer(),
                array(tensors, inputs.get(node.x()), isBatchMajor),
                lengths.orElse(null),
                node.initialH()
                        .map(h -> array(tensors, inputs.get(h), isBatchMajor))
                        .orElse(null),
                node.initialC()
                        .map(c -> array(tensors, inputs.get(c), isBatchMajor))
                        .orElse(null));
        assertTrue(node.yH().isPresent());
        assertSame("Y_h", array(tensors, outputs.get(node.yH().get()), isBatchMajor), oracle.lastH);
        if (node.y().isPresent()) {
            // One direction: Y [T,1,N,H] or [N,T,1,H].
            TensorProto y = outputs.get(node.y().get());
            TensorProto flat = y.toBuilder()
                    .clearDims()
                    .addDims(y.getDims(0))
                    .addDims(y.getDims(isBatchMajor ? 1 : 2))
                    .addDims(y.getDims(3))
                    .build();
            assertSame("Y", array(tensors, flat, isBatchMajor), oracle.y);
        }
        for (Device device : TestEngines.all()) {
            String what = "Y_h on " + device;
            assertSame(
                    what,
                    array(tensors, outputs.get(node.yH().get()), isBatchMajor),
                    lastH(device, node, tensors, inputs, lengths));
        }
    }

    private static double[][][] lastH(
            Device device,
            LstmNode node,
            OnnxTensors tensors,
            Map<String, TensorProto> inputs,
            Optional<int[]> lengths) {
        LstmModel model = new LstmModel(List.of(node.layer()));
        TensorProto x = inputs.get(node.x());
        int rows = (int) x.getDims(node.layout() == Layout.BATCH_MAJOR ? 0 : 1);
        int steps = (int) x.getDims(node.layout() == Layout.BATCH_MAJOR ? 1 : 0);
        LstmState initial = LstmState.zeros(model, rows);
        // One direction: a state [1,N,H] or [N,1,H] has the same elements in the same order.
        initial = new LstmState(
                rows,
                node.initialH().map(inputs::get).map(tensors::floats).orElse(initial.h()),
                node.initialC().map(inputs::get).map(tensors::floats).orElse(initial.c()));
        LstmInput input = new LstmInput(
                node.layout(), rows, steps, FloatBuffer.wrap(tensors.floats(x)), lengths.orElse(null), initial);
        try (LstmEngine engine = LstmEngine.open(device, model);
                LstmSession session = engine.newSession()) {
            float[] h = session.run(input).finalState().h();
            return Oracle.array(h, 1, rows, model.outputSize(), false);
        }
    }

    private static Map<String, TensorProto> read(ModelProto model, Path data, String what, boolean isInput)
            throws IOException {
        Map<String, TensorProto> tensors = new HashMap<>();
        List<Onnx.ValueInfoProto> values =
                isInput ? model.getGraph().getInputList() : model.getGraph().getOutputList();
        for (int k = 0; k < values.size(); k++) {
            Path file = data.resolve(what + "_" + k + ".pb");
            // Some of the outputs are optional and weren't written.
            if (Files.exists(file)) {
                tensors.put(values.get(k).getName(), TensorProto.parseFrom(Files.readAllBytes(file)));
            }
        }
        return tensors;
    }

    private static double[][][] array(OnnxTensors tensors, TensorProto tensor, boolean isSwapped) {
        long[] shape = tensors.shape(tensor);
        return Oracle.array(tensors.floats(tensor), (int) shape[0], (int) shape[1], (int) shape[2], isSwapped);
    }

    private static void assertSame(String what, double[][][] expected, double[][][] found) {
        assertEquals(expected.length, found.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i].length, found[i].length, what);
            for (int j = 0; j < expected[i].length; j++) {
                assertEquals(expected[i][j].length, found[i][j].length, what);
                for (int k = 0; k < expected[i][j].length; k++) {
                    assertEquals(expected[i][j][k], found[i][j][k], TOLERANCE, what);
                }
            }
        }
    }
}
