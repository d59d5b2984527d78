package io.github.cellfuse.cli.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.format.keras.KerasCases;
import io.github.cellfuse.format.keras.KerasLstm;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.onnx.OnnxLstm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertCommandTest {
    private static final Path MODEL = Path.of("examples", "sunspots", "model.safetensors");

    @TempDir
    Path folder;

    /** Everything that a result depends on, by bits. */
    private static void assertSameBits(LstmModel expected, LstmModel found) {
        assertEquals(expected.layerCount(), found.layerCount());
        for (int layer = 0; layer < expected.layerCount(); layer++) {
            assertEquals(expected.layer(layer).direction(), found.layer(layer).direction());
            for (int d = 0; d < expected.layer(layer).directionCount(); d++) {
                LstmWeights a = expected.weights(layer, d), b = found.weights(layer, d);
                assertSameBits(a.input(), b.input());
                assertSameBits(a.recurrent(), b.recurrent());
                assertSameBits(a.bias(), b.bias());
                assertEquals(a.hasProjection(), b.hasProjection());
                a.projection().ifPresent(s -> assertSameBits(s, b.projection().orElseThrow()));
                assertEquals(a.equations(), b.equations());
            }
        }
    }

    private static void assertSameBits(float[] expected, float[] found) {
        assertArrayEquals(bits(expected), bits(found));
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int k = 0; k < bits.length; k++) {
            bits[k] = Float.floatToRawIntBits(values[k]);
        }
        return bits;
    }

    private Path convert(Path from, String name, Object... options) {
        Path target = folder.resolve(name);
        Object[] arguments = Stream.concat(Stream.of("convert", from, "-o", target), Stream.of(options))
                .toArray();
        Cli.Result result = Cli.run(arguments).assertDone();
        assertTrue(result.err().contains("wrote " + target), result::toString);
        return target;
    }

    @Test
    void goesFromEachFormatToEachAndBack() {
        LstmModel model = PyTorchLstm.load(MODEL);
        Path onnx = convert(MODEL, "a.onnx");
        assertSameBits(model, OnnxLstm.load(onnx));
        Path back = convert(onnx, "b.safetensors");
        assertSameBits(model, PyTorchLstm.load(back));
        assertSameBits(model, OnnxLstm.load(convert(back, "c.onnx")));
        assertSameBits(model, PyTorchLstm.load(convert(back, "d.safetensors")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "single_2.h5", "bidirectional_3.keras", "float16_3.keras", "mixed_directions_3.keras",
                        "no_bias_3.keras",
                "hard_sigmoid_2.h5", "hard_sigmoid_3.keras", "leaky_relu_3.keras", "linear_3.keras", "elu_3.keras",
                "bidirectional_own_backward_2.h5", "backwards_twice_2.h5", "gates_2.h5"
            })
    void kerasModelsBecomeOnnx(String name) {
        LstmModel model = KerasLstm.load(KerasCases.file(name));
        Path onnx = convert(KerasCases.file(name), "model.onnx");
        assertSameBits(model, OnnxLstm.load(onnx));
        assertSameBits(model, OnnxLstm.load(convert(onnx, "again.onnx")));
    }

    @Test
    void kerasModelsBecomePyTorchs() {
        for (String name : List.of("single_2.h5", "bidirectional_3.keras", "no_bias_3.keras", "float64_2.h5")) {
            LstmModel model = KerasLstm.load(KerasCases.file(name));
            assertSameBits(model, PyTorchLstm.load(convert(KerasCases.file(name), "model.safetensors", "--overwrite")));
        }
        Path named = convert(
                KerasCases.file("tagger_2.h5"),
                "t.safetensors",
                "--layers",
                "bidirectional",
                "--output-prefix",
                "rnn.");
        assertSameBits(
                KerasLstm.load(KerasCases.file("tagger_2.h5"), List.of("bidirectional")),
                PyTorchLstm.load(named, Optional.of("rnn")));
        try (SafetensorsFile file = SafetensorsFile.open(named)) {
            assertTrue(file.tensors().containsKey("rnn.weight_ih_l0_reverse"));
        }
    }

    @Test
    void tellsWhatTheOutputsAre() {
        Cli.Result result = Cli.run("convert", KerasCases.file("last_output_2.h5"), "-o", folder.resolve("m.onnx"));
        assertTrue(
                result.assertDone().err().contains("cellfuse: layer 'lstm' gives its last output alone"),
                result::toString);
        assertEquals(
                "",
                Cli.run("convert", "-q", KerasCases.file("last_output_2.h5"), "-o", folder.resolve("n.onnx"))
                        .assertDone()
                        .err());
    }

    @Test
    void refusesWhatTheOtherFormatCannotHold() throws IOException {
        Path safetensors = folder.resolve("out.safetensors"), onnx = folder.resolve("out.onnx");
        for (String name : List.of(
                "stack_2.h5", "hard_sigmoid_2.h5", "backwards_2.h5", "mixed_directions_3.keras", "relu_3.keras")) {
            Cli.run("convert", KerasCases.file(name), "-o", safetensors)
                    .assertError(2, safetensors, "torch.nn.LSTM can't express", "an .onnx file can");
        }
        Path projected = folder.resolve("p.safetensors");
        LstmWeights w = LstmWeights.builder(3, 4)
                .input(new float[4 * 4 * 3])
                .recurrent(new float[4 * 4 * 2])
                .projection(new float[2 * 4], 2)
                .build();
        PyTorchLstm.save(new LstmModel(Direction.FORWARD, List.of(List.of(w))), projected, false, "");
        Cli.run("convert", projected, "-o", onnx).assertError(2, onnx, "projection", ".safetensors");
        assertFalse(Files.exists(safetensors) || Files.exists(onnx));
    }

    @Test
    void refusesWrongArguments() throws IOException {
        Cli.run("convert", MODEL).assertError(2, "-o", "cellfuse convert --help");
        Cli.run("convert", MODEL, "-o", folder.resolve("m.keras"))
                .assertError(2, "m.keras", ".safetensors or .onnx", "found .keras");
        Cli.run("convert", MODEL, "-o", MODEL, "--overwrite").assertError(2, MODEL, "the same");
        Path there = Files.createFile(folder.resolve("there.onnx"));
        Cli.run("convert", MODEL, "-o", there).assertError(2, there, "--overwrite");
        Cli.run("convert", MODEL, "-o", folder.resolve("x.onnx"), "--output-prefix", "lstm.")
                .assertError(2, "--output-prefix", "x.onnx");
        Cli.run("convert", folder.resolve("none.h5"), "-o", folder.resolve("x.onnx"))
                .assertError(2, "none.h5", "no such file");
        assertEquals(0, Files.size(there));
    }

    @Test
    void aConvertedModelComputesTheSameBits() throws IOException {
        Path keras = KerasCases.file("bidirectional_2.h5"), x = KerasCases.file("bidirectional_2.npz");
        Path converted = convert(keras, "m.safetensors");
        Path[] outputs = {folder.resolve("a.npz"), folder.resolve("b.npz")};
        Cli.run("run", keras, x + ":x", "-o", outputs[0], "--device", "java", "-q")
                .assertDone();
        Cli.run("run", converted, x + ":x", "-o", outputs[1], "--device", "java", "-q")
                .assertDone();
        assertEquals(-1, Files.mismatch(outputs[0], outputs[1]));
    }
}
