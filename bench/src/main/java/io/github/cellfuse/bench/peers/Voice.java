package io.github.cellfuse.bench.peers;

import static io.github.cellfuse.bench.peers.OnnxProtos.floats;
import static io.github.cellfuse.bench.peers.OnnxProtos.integer;
import static io.github.cellfuse.bench.peers.OnnxProtos.integers;
import static io.github.cellfuse.bench.peers.OnnxProtos.longs;
import static io.github.cellfuse.bench.peers.OnnxProtos.node;
import static io.github.cellfuse.bench.peers.OnnxProtos.text;
import static io.github.cellfuse.bench.peers.OnnxProtos.value;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.onnx.Onnx.AttributeProto;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A voice-activity model that runs frame by frame, with the architecture and the interface of silero VAD v5, and with
 * random weights.
 *
 * <pre>
 *   input [N,576] ──► spectrum [N,129,4] ──► 4 convolutions [N,128] ──► LSTM cell ──► head ──► output [N,1]
 *                                                                        ▲   │
 *   state [2,N,128] ─────────────────────────────────────────────────────┘   └──► stateN [2,N,128]
 * </pre>
 *
 * <p>A frame is 512 samples at 16 kHz, after the last 64 of the frame before. The states are h and c.
 */
final class Voice {
    static final int SAMPLES = 576, UNITS = 128;
    static final String INPUT = "input", STATE = "state", OUTPUT = "output", NEXT_STATE = "stateN";
    /** An int64 input of silero's own files, which ours lacks. */
    static final String RATE = "sr";

    static final long RATE_VALUE = 16000;

    /** The last one in which the axes of ReduceMean are an attribute. */
    private static final int OPSET = 17;

    private static final int WINDOW = 256, HOP = 128, BINS = WINDOW / 2 + 1, PADDING = 64;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,6}),(\\d{1,6})");
    /** In the place of an input that is left out. */
    private static final String NONE = "";

    private final Random random = new Random(1);
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("voice");

    private Voice() {}

    /** Parses {@code N,T}: streams and frames. */
    static Shape shape(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidInputException(
                    "--voice: expected N,T, streams and frames, such as 64,1000, found '" + text + "'");
        }
        return new Shape(Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(1)), SAMPLES, UNITS);
    }

    /** Returns the model. */
    static ModelProto model() {
        return new Voice().build();
    }

    private ModelProto build() {
        graph.addInput(value(INPUT, "batch", SAMPLES))
                .addInput(value(STATE, 2, "batch", UNITS))
                .addOutput(value(OUTPUT, "batch", 1))
                .addOutput(value(NEXT_STATE, 2, "batch", UNITS));
        for (long axis = 0; axis <= 2; axis++) {
            graph.addInitializer(longs("axis" + axis, axis));
        }
        spectrum();
        convolution("encoder0", "magnitudes", BINS, 128, 1);
        convolution("encoder1", "encoder0", 128, 64, 2);
        convolution("encoder2", "encoder1", 64, 64, 2);
        convolution("encoder3", "encoder2", 64, UNITS, 1);
        add("Squeeze", "features", "encoder3", "axis2");
        cell();
        head();
        return OnnxProtos.model(graph.build(), OPSET);
    }

    /** The magnitudes {@code [N,129,4]} of a short-time Fourier transform, which is a convolution. */
    private void spectrum() {
        graph.addInitializer(longs("padding", 0L, 0L, 0L, (long) PADDING));
        graph.addInitializer(floats("basis", fourierBasis(), 2 * BINS, 1, WINDOW));
        graph.addInitializer(longs("bins", (long) BINS)).addInitializer(longs("all", 2L * BINS));
        graph.addInitializer(floats("two", new float[] {2}));
        graph.addNode(node("Pad", List.of(INPUT, "padding"), List.of("padded"), text("mode", "reflect")));
        add("Unsqueeze", "channel", "padded", "axis1");
        graph.addNode(node("Conv", List.of("channel", "basis"), List.of("parts"), integers("strides", (long) HOP)));
        add("Slice", "real", "parts", "axis0", "bins", "axis1");
        add("Slice", "imaginary", "parts", "bins", "all", "axis1");
        add("Pow", "real2", "real", "two");
        add("Pow", "imaginary2", "imaginary", "two");
        add("Add", "power", "real2", "imaginary2");
        add("Sqrt", "magnitudes", "power");
    }

    /** Returns cosines and sines under a Hann window. */
    private static float[] fourierBasis() {
        float[] basis = new float[2 * BINS * WINDOW];
        for (int bin = 0; bin < BINS; bin++) {
            for (int k = 0; k < WINDOW; k++) {
                double window = 0.5 - 0.5 * Math.cos(2 * Math.PI * k / WINDOW);
                double angle = 2 * Math.PI * bin * k / WINDOW;
                basis[bin * WINDOW + k] = (float) (window * Math.cos(angle));
                basis[(BINS + bin) * WINDOW + k] = (float) (-window * Math.sin(angle));
            }
        }
        return basis;
    }

    private void convolution(String name, String input, int channels, int filters, long stride) {
        weights(name + ".weight", filters, channels, 3);
        weights(name + ".bias", filters);
        graph.addNode(node(
                "Conv",
                List.of(input, name + ".weight", name + ".bias"),
                List.of(name + ".sums"),
                integers("kernel_shape", 3L),
                integers("strides", stride),
                integers("pads", 1L, 1L)));
        add("Relu", name, name + ".sums");
    }

    /** One step of an LSTM, whose states h and c are the halves of one value. */
    private void cell() {
        weights("W", 1, 4 * UNITS, UNITS);
        weights("R", 1, 4 * UNITS, UNITS);
        weights("B", 1, 8 * UNITS);
        AttributeProto axis = integer("axis", 0);
        add("Unsqueeze", "sequence", "features", "axis0");
        graph.addNode(node("Split", List.of(STATE), List.of("h", "c"), axis));
        graph.addNode(node(
                "LSTM",
                List.of("sequence", "W", "R", "B", NONE, "h", "c"),
                List.of(NONE, "hN", "cN"),
                integer("hidden_size", UNITS)));
        graph.addNode(node("Concat", List.of("hN", "cN"), List.of(NEXT_STATE), axis));
    }

    private void head() {
        weights("head.weight", 1, UNITS, 1);
        weights("head.bias", 1);
        add("Squeeze", "hidden", "hN", "axis0");
        add("Unsqueeze", "hidden step", "hidden", "axis2");
        add("Relu", "positive", "hidden step");
        add("Conv", "score", "positive", "head.weight", "head.bias");
        add("Sigmoid", "probabilities", "score");
        graph.addNode(node(
                "ReduceMean", List.of("probabilities"), List.of(OUTPUT), integers("axes", 2L), integer("keepdims", 0)));
    }

    private void add(String type, String output, String... inputs) {
        graph.addNode(node(type, List.of(inputs), List.of(output)));
    }

    /** Adds random weights of the tagger's spread, which keeps what the cell sees neither flat nor linear. */
    private void weights(String name, long... dimensions) {
        long count = 1;
        for (long dimension : dimensions) {
            count *= dimension;
        }
        float[] values = new float[(int) count];
        float scale = (float) (1 / Math.sqrt(UNITS));
        for (int k = 0; k < values.length; k++) {
            values[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        graph.addInitializer(floats(name, values, dimensions));
    }
}
