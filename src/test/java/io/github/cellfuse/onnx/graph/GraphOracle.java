package io.github.cellfuse.onnx.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime on a whole model, and the same model cut, on every device. */
public final class GraphOracle {
    /**
     * ONNX Runtime's sigmoid and tanh are rational approximations, off by up to some 1e-6 here; a few layers and steps
     * of a contracting recurrence leave it near that.
     */
    public static final double TOLERANCE = 1e-5;

    private GraphOracle() {}

    /** ONNX Runtime's results. */
    public static Map<String, Tensor> whole(Path path, Map<String, Tensor> inputs) {
        try (OrtGraph runtime = OrtLibrary.open(ModelProto.parseFrom(Files.readAllBytes(path)), "whole");
                Values values = new Values()) {
            inputs.forEach(values::put);
            runtime.run(values, Set.of(), Map.of(), (name, bytes) -> Tensor.allocate(bytes));
            Map<String, Tensor> results = new LinkedHashMap<>();
            for (GraphValue output : OnnxModel.open(path).outputs()) {
                results.put(output.name(), values.tensor(output.name()));
            }
            return results;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The model on every device gives what ONNX Runtime gives, twice in a row and in memory of either kind. */
    static OnnxModel assertSame(Path path, Map<String, Tensor> inputs) {
        return assertSame(path, inputs, Map.of(), TOLERANCE);
    }

    /** The model gives what ONNX Runtime gives for {@code equal}: the same model in a form that it can read. */
    static OnnxModel assertSameAs(Path equal, Path path, Map<String, Tensor> inputs) {
        return assertGives(whole(equal, inputs), path, inputs, Map.of(), TOLERANCE);
    }

    /** The same with some of the inputs bound to constants. */
    static OnnxModel assertSame(Path path, Map<String, Tensor> inputs, Map<String, Tensor> bound, double tolerance) {
        Map<String, Tensor> all = new LinkedHashMap<>(inputs);
        all.putAll(bound);
        return assertGives(whole(path, all), path, inputs, bound, tolerance);
    }

    private static OnnxModel assertGives(
            Map<String, Tensor> expected,
            Path path,
            Map<String, Tensor> inputs,
            Map<String, Tensor> bound,
            double tolerance) {
        Map<String, Binding> bindings = new LinkedHashMap<>();
        bound.forEach((name, value) -> bindings.put(name, Binding.of(value)));
        OnnxModel model = OnnxModel.open(path, GraphOptions.DEFAULT.withBindings(bindings));
        Map<String, Tensor> first = null;
        for (Device device : devices()) {
            try (OnnxSession session = model.session(device, EngineOptions.DEFAULT)) {
                Map<String, Tensor> once = session.run(inputs);
                Map<String, Tensor> again = session.runInPlace(inputs);
                assertEquals(List.copyOf(expected.keySet()), List.copyOf(once.keySet()));
                expected.forEach((name, value) -> {
                    Tensors.assertClose(device + " " + name, value, once.get(name), tolerance);
                    Tensors.assertSame(device + " " + name + " again", once.get(name), again.get(name));
                });
                if (first == null) {
                    first = once;
                } else if (!device.equals(Device.REFERENCE)) {
                    Map<String, Tensor> others = first;
                    Set.copyOf(once.keySet())
                            .forEach(name -> Tensors.assertSame(device + " " + name, others.get(name), once.get(name)));
                }
            }
        }
        return model;
    }

    /** {@code java} first, which the other exact ones must equal by bits. */
    private static List<Device> devices() {
        return TestEngines.all();
    }

    /** The LSTMs of each part on a device, and the operators of each part in ONNX Runtime. */
    static String parts(OnnxModel model) {
        StringBuilder text = new StringBuilder();
        for (Part part : model.parts()) {
            text.append(part instanceof LstmPart lstm ? lstm.nodes() : ((RuntimePart) part).operators());
        }
        return text.toString();
    }
}
