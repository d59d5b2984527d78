package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.TestEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models that PyTorch exported give PyTorch's own results, on every device. */
class PyTorchGraphTest {
    private static final Path FOLDER = Path.of("src/test/resources/onnx");

    static List<String> cases() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".onnx"))
                    .map(name -> name.substring(0, name.length() - 5))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void givesPyTorchsResults(String name) {
        // Which LSTMs it needs depends on its rate.
        Map<String, Binding> bindings =
                name.equals("voice") ? Map.of("rate", Binding.of(Tensor.of(new long[] {16000}))) : Map.of();
        OnnxModel model = OnnxModel.open(FOLDER.resolve(name + ".onnx"), GraphOptions.DEFAULT.withBindings(bindings));
        assertEquals(List.of(), model.kept());
        assertTrue(model.lstms().size() > 0);
        Map<String, Tensor> arrays = Tensors.of(FOLDER.resolve(name + ".npz"));
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        model.inputs().forEach(input -> inputs.put(input.name(), arrays.get(input.name())));
        for (Device device : TestEngines.all()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                for (int run = 0; run < 2; run++) {
                    Map<String, Tensor> results = session.run(inputs);
                    assertEquals(
                            model.outputs().stream().map(GraphValue::name).toList(), List.copyOf(results.keySet()));
                    results.forEach((output, found) ->
                            Tensors.assertClose(device + " " + output, arrays.get(output), found, 1e-5));
                }
            }
        }
    }
}
