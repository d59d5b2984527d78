package io.github.cellfuse;

import io.github.cellfuse.spi.HalfPrecision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How an engine stores a model's weights: {@code W}, {@code R} and the projection. On an OpenCL device, 16-bit weights
 * halve the memory that they take and that each step reads. The other devices store the same rounded values as floats.
 * All arithmetic is float32, so every exact device gives the same bits: those of the {@linkplain #round(LstmModel)
 * rounded model}. Biases stay float32, because they take little memory. Immutable.
 */
public enum WeightPrecision {
    /** Not rounded. */
    F32("float32", Float.BYTES),
    /** IEEE 754 binary16: 11 bits of precision, up to 65504, denormals kept. Larger weights are refused. */
    F16("float16", Short.BYTES),
    /** The upper half of a float32: its range with 8 bits of precision. */
    BF16("bfloat16", Short.BYTES);

    private final String label;
    private final int bytes;

    WeightPrecision(String label, int bytes) {
        this.label = label;
        this.bytes = bytes;
    }

    /** Returns the bytes of one weight. */
    public int bytes() {
        return bytes;
    }

    /**
     * Returns the bytes of a model's parameters: of its weights in this precision, and of the peepholes and one bias
     * per gate and unit in float32.
     */
    public long bytes(LstmModel model) {
        long total = 0;
        for (LstmLayer layer : model.layers()) {
            for (LstmWeights w : layer.weights()) {
                long weights = (long) w.input().length + w.recurrent().length;
                weights += w.projection().map(s -> s.length).orElse(0);
                long vectors = LstmWeights.GATES + (w.hasPeepholes() ? LstmWeights.PEEPHOLES : 0);
                total += weights * bytes + vectors * w.hiddenSize() * Float.BYTES;
            }
        }
        return total;
    }

    /** Returns the name of the number format, such as {@code float16}. */
    public String label() {
        return label;
    }

    /** Returns the name on the command line and in files, such as {@code f16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the bits that store {@code value}, in the lower {@link #bytes()} bytes: the nearest value, ties to even.
     */
    public int toBits(float value) {
        return switch (this) {
            case F32 -> Float.floatToRawIntBits(value);
            case F16 -> HalfPrecision.floatToFloat16(value) & 0xFFFF;
            case BF16 -> HalfPrecision.floatToBfloat16(value) & 0xFFFF;
        };
    }

    /** Returns the value that is stored as {@code bits}, of which the lower {@link #bytes()} bytes count. */
    public float fromBits(int bits) {
        return switch (this) {
            case F32 -> Float.intBitsToFloat(bits);
            case F16 -> HalfPrecision.float16ToFloat((short) bits);
            case BF16 -> HalfPrecision.bfloat16ToFloat((short) bits);
        };
    }

    /** Returns {@code value} as it is once stored. */
    public float round(float value) {
        return fromBits(toBits(value));
    }

    /**
     * Returns {@code model} with its weights rounded, which is what an engine computes with. A copy that shares the
     * biases and peepholes, and whose layers share weights where those of {@code model} do, or {@code model} itself if
     * this precision doesn't round. Rounding twice has no further effect.
     *
     * @throws InvalidInputException if a finite weight would become infinite; the message names the weight
     */
    public LstmModel round(LstmModel model) {
        if (this == F32) {
            return model;
        }
        List<LstmLayer> layers = new ArrayList<>();
        Map<LstmLayer, LstmLayer> known = new HashMap<>();
        for (int layer = 0; layer < model.layerCount(); layer++) {
            LstmLayer same = known.get(model.layer(layer));
            if (same != null) {
                layers.add(same);
                continue;
            }
            Direction direction = model.layer(layer).direction();
            List<LstmWeights> directions = new ArrayList<>();
            for (int d = 0; d < direction.count(); d++) {
                String where = "layer " + layer + (direction.isReverse(d) ? ", reverse" : ", forward");
                LstmWeights w = model.weights(layer, d);
                LstmWeights.Builder rounded = w.toBuilder()
                        .input(round(where + ", input weights [4H,I]", w.input(), w.inputSize()))
                        .recurrent(round(where + ", recurrent weights [4H,P]", w.recurrent(), w.outputSize()));
                w.projection()
                        .ifPresent(s -> rounded.projection(
                                round(where + ", projection [P,H]", s, w.hiddenSize()), w.outputSize()));
                directions.add(rounded.build());
            }
            layers.add(new LstmLayer(direction, directions));
            known.put(model.layer(layer), layers.get(layer));
        }
        return new LstmModel(layers);
    }

    private float[] round(String what, float[] values, int columns) {
        float[] rounded = new float[values.length];
        for (int k = 0; k < values.length; k++) {
            rounded[k] = round(values[k]);
            if (Float.isInfinite(rounded[k]) && !Float.isInfinite(values[k])) {
                throw new InvalidInputException(what + " at [" + k / columns + "," + k % columns + "]: " + values[k]
                        + " is more than " + label + " holds; store the weights as " + (this == F16 ? BF16 : F32));
            }
        }
        return rounded;
    }
}
