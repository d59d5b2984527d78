package io.github.cellfuse;

import io.github.cellfuse.spi.HalfPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How an engine stores a model's weights: {@code W}, {@code R} and the projection. Less than float32 halves the memory that they take,
 * and what is read of it in every step, on an OpenCL device; the other devices hold the same rounded values as floats. All
 * arithmetic stays in float32, so every device has the same bits as ever, those of the {@linkplain #round(LstmModel) rounded model}.
 * Biases stay float32: they are little of the memory, and each is added whole. Immutable.
 */
public enum WeightPrecision {
    /** As they are. */
    F32("float32", Float.BYTES),
    /** IEEE 754's binary16: 11 bits of precision up to 65504, denormals kept. Larger weights are refused. */
    F16("float16", Short.BYTES),
    /** The upper half of a float32: its range with 8 bits of precision. */
    BF16("bfloat16", Short.BYTES);

    private final String label;
    private final int bytes;

    WeightPrecision(String label, int bytes) {
        this.label = label;
        this.bytes = bytes;
    }

    /** The bytes of a weight. */
    public int bytes() {
        return bytes;
    }

    /** The bytes of a model's parameters: of its weights in this precision, of the one bias of each gate and unit and
     * of the peepholes in float32. */
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

    /** The name of the number format: {@code float16}. */
    public String label() {
        return label;
    }

    /** The name on the command line and in files: {@code f16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The bits, in the lower {@link #bytes()} bytes, of what {@code value} is stored as: the nearest, ties to even. */
    public int toBits(float value) {
        return switch (this) {
            case F32 -> Float.floatToRawIntBits(value);
            case F16 -> HalfPrecision.floatToFloat16(value) & 0xFFFF;
            case BF16 -> HalfPrecision.floatToBfloat16(value) & 0xFFFF;
        };
    }

    /** The value that is stored as {@code bits}, of which the lower {@link #bytes()} bytes count. */
    public float fromBits(int bits) {
        return switch (this) {
            case F32 -> Float.intBitsToFloat(bits);
            case F16 -> HalfPrecision.float16ToFloat((short) bits);
            case BF16 -> HalfPrecision.bfloat16ToFloat((short) bits);
        };
    }

    /** What {@code value} is once stored. */
    public float round(float value) {
        return fromBits(toBits(value));
    }

    /**
     * The model that {@code model} is once its weights are stored: an engine computes with this one. A copy, but for the biases;
     * {@code model} itself where nothing is rounded. Rounding twice changes nothing more.
     *
     * @throws InvalidInputException when a finite weight would become infinite; the message says which
     */
    public LstmModel round(LstmModel model) {
        if (this == F32) {
            return model;
        }
        List<LstmLayer> layers = new ArrayList<>();
        for (int layer = 0; layer < model.layerCount(); layer++) {
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
