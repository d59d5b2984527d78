package io.github.cellfuse.format.keras;

import static io.github.cellfuse.format.keras.KerasCases.assertRefused;
import static io.github.cellfuse.format.keras.KerasCases.file;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.Activation;
import io.github.cellfuse.ActivationFunction;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KerasLstmTest {
    @TempDir
    Path folder;

    /**
     * float32 of the device against double of the expected values, over 5 steps; a wrong gate is off by 1e-2 and more.
     */
    private static final double TOLERANCE = 1e-5;

    private static final Optional<List<String>> ALL = Optional.empty();

    static Stream<Arguments> modelsAndDevices() {
        return KerasCases.models().stream()
                .flatMap(name -> Stream.of(Device.JAVA, Device.REFERENCE).map(device -> Arguments.of(name, device)));
    }

    /** The tagger's LSTM layers lie between others. */
    private static Optional<List<String>> layers(String name) {
        return name.startsWith("tagger") ? Optional.of(List.of("lstm", "bidirectional")) : ALL;
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("modelsAndDevices")
    void computesWhatKerasComputes(String name, Device device) {
        KerasModel read = KerasLstm.read(file(name), layers(name));
        try (NpzArchive expected = NpzArchive.open(file(name.replaceFirst("\\.\\w+$", ".npz")));
                LstmEngine engine = LstmEngine.open(device, read.model());
                LstmSession session = engine.newSession()) {
            long[] shape = shape(expected, "x");
            int rows = (int) shape[0], steps = (int) shape[1];
            LstmInput input = LstmInput.batchMajor(values(expected, "x"), rows, steps);
            boolean isMasked = expected.names().contains("lengths");
            if (isMasked) {
                try (NpyArray lengths = expected.array("lengths")) {
                    input = input.withLengths(lengths.readInts(0, rows));
                }
            }
            LstmOutput output = session.run(input);
            assertClose("h", values(expected, "h"), output.finalState().h());
            assertClose("c", values(expected, "c"), output.finalState().c());
            assertClose("out", values(expected, "out"), asKerasGivesIt(read, output, input, shape(expected, "out")));
            assertEquals(
                    isMasked,
                    read.remarks().stream().anyMatch(r -> r.contains("lengths")),
                    () -> read.remarks().toString());
        }
    }

    /** What a reader of the remarks makes of the outputs. */
    private static float[] asKerasGivesIt(KerasModel read, LstmOutput output, LstmInput input, long[] shape) {
        LstmLayer top = read.model().last();
        int width = top.outputSize(), rows = output.rows(), steps = output.steps();
        boolean isLast = remarks(read, "h_n"), isTurned = remarks(read, "reversed in time");
        assertEquals(isLast, shape.length == 2);
        float[] values = new float[rows * width * (isLast ? 1 : steps)];
        if (isLast) {
            float[] h = output.finalState().h();
            int start = h.length - rows * width;
            for (int row = 0; row < rows; row++) {
                for (int k = 0; k < width; k++) {
                    int direction = k / top.stateSize();
                    values[row * width + k] =
                            h[start + (direction * rows + row) * top.stateSize() + k % top.stateSize()];
                }
            }
            return values;
        }
        for (int row = 0; row < rows; row++) {
            for (int step = 0; step < steps; step++) {
                int from = isTurned ? steps - 1 - step : step;
                for (int k = 0; k < width; k++) {
                    // Past a row's length Keras repeats the last output, or not; only the valid steps are compared.
                    values[(row * steps + step) * width + k] =
                            from < length(input, row) ? output.y().get((row * steps + from) * width + k) : Float.NaN;
                }
            }
        }
        return values;
    }

    private static int length(LstmInput input, int row) {
        return input.lengths() == null ? input.steps() : input.lengths()[row];
    }

    private static boolean remarks(KerasModel read, String part) {
        return read.remarks().stream().anyMatch(remark -> remark.contains(part));
    }

    private static long[] shape(NpzArchive archive, String name) {
        try (NpyArray array = archive.array(name)) {
            return array.shape();
        }
    }

    private static float[] values(NpzArchive archive, String name) {
        try (NpyArray array = archive.array(name)) {
            return array.readAll();
        }
    }

    private static void assertClose(String what, float[] expected, float[] found) {
        assertEquals(expected.length, found.length, what);
        for (int k = 0; k < expected.length; k++) {
            if (!Float.isNaN(found[k])) {
                double tolerance = TOLERANCE * Math.max(1, Math.abs(expected[k]));
                assertEquals(expected[k], found[k], tolerance, what + "[" + k + "]");
            }
        }
    }

    @Test
    void layersKeepTheirSizesAndDirections() {
        LstmModel mixed = KerasLstm.load(file("mixed_directions_3.keras"));
        assertEquals(
                List.of(Direction.BIDIRECTIONAL, Direction.FORWARD, Direction.BIDIRECTIONAL),
                mixed.layers().stream().map(LstmLayer::direction).toList());
        assertEquals(
                List.of(4, 5, 2),
                mixed.layers().stream().map(LstmLayer::hiddenSize).toList());
        // Forward above a layer that gives its steps from the last on is reverse.
        LstmModel turned = KerasLstm.load(file("backwards_twice_2.h5"));
        assertEquals(
                List.of(Direction.REVERSE, Direction.FORWARD, Direction.FORWARD),
                turned.layers().stream().map(LstmLayer::direction).toList());
    }

    @Test
    void biasesAreThereOrNot() {
        assertEquals(
                Optional.empty(),
                KerasLstm.load(file("no_bias_3.keras")).weights(0, 0).inputBias());
        LstmLayer both = KerasLstm.load(file("bidirectional_own_backward_2.h5")).last();
        assertEquals(16, both.weights().get(0).inputBias().orElseThrow().length);
        assertEquals(Optional.empty(), both.weights().get(1).inputBias());
        assertEquals(Activation.TANH, both.weights().get(0).equations().candidate());
        assertEquals(
                ActivationFunction.RELU,
                both.weights().get(1).equations().hidden().function());
    }

    @Test
    void bothHardSigmoidsAreKnown() {
        assertEquals(
                new Activation(ActivationFunction.HARD_SIGMOID, 0.2f, 0.5f),
                KerasLstm.load(file("hard_sigmoid_2.h5"))
                        .weights(0, 0)
                        .equations()
                        .gate());
        assertEquals(
                new Activation(ActivationFunction.HARD_SIGMOID, 1 / 6f, 0.5f),
                KerasLstm.load(file("hard_sigmoid_3.keras"))
                        .weights(0, 0)
                        .equations()
                        .gate());
    }

    @Test
    void tellsOfTheModel() {
        KerasModel read = KerasLstm.read(file("tagger_3.keras"), Optional.of(List.of("lstm", "bidirectional")));
        assertEquals("3.8.0", read.version());
        assertEquals(List.of("lstm", "bidirectional"), read.layers());
        assertEquals(List.of("Embedding 'embedding'", "Dense 'head'"), read.others());
        assertEquals(List.of(), read.remarks());
        assertEquals(
                List.of("encoder"), KerasLstm.read(file("single_3_h5.h5"), ALL).layers());
    }

    /** As a head beside an LSTM of PyTorch. */
    @ParameterizedTest
    @ValueSource(strings = {"tagger_2.h5", "tagger_3.keras"})
    void theOnlyChainIsReadWithoutItsNames(String name) {
        KerasModel read = KerasLstm.read(file(name), ALL);
        assertEquals(List.of("lstm", "bidirectional"), read.layers());
        assertEquals(
                List.of("read only LSTM 'lstm', Bidirectional(LSTM) 'bidirectional' of the model, not Embedding"
                        + " 'embedding', Dense 'head'"),
                read.remarks());
    }

    /** Every command of the message works. */
    @Test
    void chainsAreReadByTheNamesInTheMessage() {
        for (String name : List.of("refused_chains_3.keras", "refused_chains_functional_2.h5")) {
            assertEquals(
                    4, KerasLstm.load(file(name), List.of("lstm", "lstm_1")).inputSize());
            assertEquals(2, KerasLstm.load(file(name), List.of("lstm_2")).inputSize());
        }
        assertEquals(
                3,
                KerasLstm.load(file("refused_state_and_dense_2.h5"), List.of("lstm"))
                        .outputSize());
    }

    @Test
    void cudnnHasItsOwnFunctions() {
        assertEquals(
                Activation.SIGMOID,
                KerasLstm.load(file("cudnn_2.h5")).weights(0, 0).equations().gate());
        // The class in the configuration decides, as when Keras loads the weights into it.
        assertEquals(
                new Activation(ActivationFunction.HARD_SIGMOID, 0.2f, 0.5f),
                KerasLstm.load(file("cudnn_weights_2.h5"))
                        .weights(0, 0)
                        .equations()
                        .gate());
    }

    /** Keras 3 writes no such biases. */
    @Test
    void twoBiasesAreCudnns() throws IOException {
        byte[] bytes = Files.readAllBytes(file("cudnn_weights_2.h5"));
        String later = new String(bytes, StandardCharsets.ISO_8859_1).replace("2.2.4", "3.2.4");
        Path path = Files.write(folder.resolve("later.h5"), later.getBytes(StandardCharsets.ISO_8859_1));
        assertRefused(() -> KerasLstm.load(path), "expected shape [16], found [32]", "layer 'lstm'");
    }

    @Test
    void someLayersMayBeReadAlone() {
        LstmModel one = KerasLstm.load(file("stack_2.h5"), List.of("lstm_1"));
        assertEquals(5, one.inputSize());
        assertEquals(4, one.outputSize());
        assertEquals(1, one.layerCount());
        assertEquals(
                8,
                KerasLstm.load(file("mixed_directions_3.keras"), List.of("lstm"))
                        .inputSize());
    }

    /** The parts of the one line that says what is wrong. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            weights_2.h5                | whole model                  | model.save("model.keras")
            gru_3.keras                 | GRU 'gru', Bidirectional(GRU) 'bidirectional' | ONNX
            conv_2.h5                   | ConvLSTM1D 'conv_lstm1d'     | tf2onnx
            custom_3.keras              | shop>LSTM 'lstm'             | found none
            bfloat16_3.keras            | layer 'lstm': dtype          | bfloat16
            selu_3.keras                | layer 'lstm': activation     | 'selu'
            own_function_3.keras        | layer 'lstm': activation     | an object of one's own
            sum_3.keras                 | layer 'bidirectional': merge_mode: expected 'concat', found 'sum' | ONNX
            unmerged_2.h5               | layer 'bidirectional': merge_mode: expected 'concat', found none  | ONNX
            last_inside_2.h5            | layer 'lstm': return_sequences | found false
            turned_bidirectional_3.keras| layer 'bidirectional'        | go_backwards
            backwards_forward_3.keras   | layer 'bidirectional'        | go_backwards
            masked_backwards_2.h5       | layer 'lstm'                 | mask
            units_differ_3.keras        | backward_layer, units: expected 4 | found 5
            branch_3.keras              | layer 'lstm_1'               | branch
            state_2.h5                  | layer 'lstm_1'               | branch
            dense_between_3.keras       | Dense 'dense' beside 'lstm', 'lstm_1' | --layers lstm or --layers lstm_1, or
            chains_3.keras              | Dense 'head' beside 'lstm', | --layers lstm,lstm_1 or --layers lstm_2, or
            chains_functional_2.h5      | Dense 'head' beside 'lstm', | --layers lstm,lstm_1 or --layers lstm_2, or
            state_and_dense_2.h5        | Dense 'head' beside 'lstm', 'lstm_1' | read --layers lstm, or
            """)
    void refusesWhatItDoesNotCompute(String name, String first, String second) {
        String refused = "refused_" + name;
        assertRefused(() -> KerasLstm.load(file(refused)), refused, first, second);
    }

    @Test
    void refusesLayersThatAreNoStack() {
        assertRefused(
                () -> KerasLstm.load(file("refused_dense_between_3.keras"), List.of("lstm", "lstm_1")),
                "layer 'lstm_1': expected it to read LSTM 'lstm', found it to read Dense 'dense'");
        assertRefused(
                () -> KerasLstm.load(file("stack_2.h5"), List.of("lstm_1", "lstm")),
                "layer 'lstm': expected it to read LSTM 'lstm_1', found it to read InputLayer 'input_layer'");
        assertRefused(
                () -> KerasLstm.load(file("stack_2.h5"), List.of("lstm", "lstm")),
                "layer 'lstm': expected it to read LSTM 'lstm'");
        assertRefused(
                () -> KerasLstm.load(file("stack_2.h5"), List.of("lstm_9")),
                "no layer 'lstm_9'",
                "'lstm', 'lstm_1', 'lstm_2'");
        assertRefused(() -> KerasLstm.load(file("tagger_2.h5"), List.of("head")), "found Dense 'head'");
        assertRefused(() -> KerasLstm.load(file("tagger_2.h5"), List.of()), "at least one");
        assertRefused(
                () -> KerasLstm.load(file("refused_state_2.h5"), List.of("lstm", "lstm_1")),
                "layer 'lstm_1': expected it to read one tensor once, found 2 tensors");
    }
}
