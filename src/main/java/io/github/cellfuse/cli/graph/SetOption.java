package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.Numbers;
import io.github.cellfuse.cli.job.JobIdentity;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.onnx.graph.Binding;
import io.github.cellfuse.onnx.graph.GraphValue;
import io.github.cellfuse.onnx.graph.Tensor;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Option;

/** {@code --set}: binds inputs of a graph to constants; a mixin. */
public final class SetOption {
    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description =
                    "Bind an input of an .onnx model to a constant: a number, numbers separated by commas, true or"
                            + " false, or a .npy file. Nodes that only depend on constants are computed once, and"
                            + " branches that a constant decides are removed.")
    private List<String> settings = List.of();

    /** Returns the constants by input. */
    public Map<String, Binding> bindings() {
        Map<String, Binding> bindings = new LinkedHashMap<>();
        GraphInputOptions.pairs("--set", "NAME=VALUE", settings)
                .forEach((name, text) -> bindings.put(name, input -> value(input, text)));
        return bindings;
    }

    /** Adds the constants to what has to be the same when a run is continued. */
    public void addTo(JobIdentity identity) {
        GraphInputOptions.pairs("--set", "NAME=VALUE", settings).forEach((name, text) -> {
            if (isFile(text)) {
                identity.with("set " + name, InputFile.parse(text));
            } else {
                identity.with("set " + name, text);
            }
        });
    }

    private static boolean isFile(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        return lower.endsWith(".npy") || lower.contains(".npz");
    }

    private static Tensor value(GraphValue input, String text) {
        ElementType type = input.type()
                .orElseThrow(() -> new InvalidInputException(
                        "--set " + input.name() + ": expected a numeric input, found " + input.describe()));
        if (isFile(text)) {
            return read(InputFile.parse(text), type);
        }
        String[] numbers = text.split(",", -1);
        long[] shape = shape(input, numbers.length);
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(numbers.length, Long.BYTES))
                .order(ByteOrder.nativeOrder());
        for (String number : numbers) {
            put(input, type, number.strip(), bytes);
        }
        return new Tensor(type, bytes.flip(), shape);
    }

    private static Tensor read(InputFile file, ElementType type) {
        try (NpyArray array = file.open()) {
            long bytes = Math.multiplyExact(array.elementCount(), type.bytes());
            ByteBuffer target =
                    ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
            array.read(0, type, target);
            return new Tensor(type, target.flip(), array.shape());
        }
    }

    /**
     * Returns the shape for {@code count} numbers. Free dimensions have size 1; a single free dimension takes all
     * numbers.
     */
    private static long[] shape(GraphValue input, int count) {
        List<GraphValue.Dimension> dimensions = input.dimensions().orElse(List.of());
        long[] shape = dimensions.stream()
                .mapToLong(dimension -> dimension.isFixed() ? dimension.size() : 1)
                .toArray();
        long fixed = 1;
        int free = 0, last = -1;
        for (int axis = 0; axis < shape.length; axis++) {
            fixed *= shape[axis];
            if (!dimensions.get(axis).isFixed()) {
                free++;
                last = axis;
            }
        }
        if (free == 1 && fixed > 0 && count % fixed == 0) {
            shape[last] = count / fixed;
        } else if (fixed != count) {
            throw new InvalidInputException("--set " + input.name() + ": expected " + input.describe() + ", found "
                    + Numbers.count(count, "number"));
        }
        return shape;
    }

    private static void put(GraphValue input, ElementType type, String text, ByteBuffer bytes) {
        try {
            switch (type) {
                case FLOAT32 -> bytes.putFloat(Float.parseFloat(text));
                case FLOAT64 -> bytes.putDouble(Double.parseDouble(text));
                case INT64 -> bytes.putLong(new BigDecimal(text).longValueExact());
                case INT32 -> bytes.putInt(new BigDecimal(text).intValueExact());
                case INT16 -> bytes.putShort(new BigDecimal(text).shortValueExact());
                case INT8 -> bytes.put(new BigDecimal(text).byteValueExact());
                case UINT8, UINT16, UINT32, UINT64 ->
                    putUnsigned(new BigDecimal(text).toBigIntegerExact(), type, bytes);
                case BOOL -> bytes.put(truth(text));
                default ->
                    throw new InvalidInputException(
                            "--set " + input.name() + ": expected a .npy file for " + type + ", found '" + text + "'");
            }
        } catch (ArithmeticException | NumberFormatException e) {
            throw new InvalidInputException(
                    "--set " + input.name() + ": expected " + type + ", found '" + text + "'", e);
        }
    }

    private static void putUnsigned(BigInteger value, ElementType type, ByteBuffer bytes) {
        if (value.signum() < 0 || value.bitLength() > type.bytes() * Byte.SIZE) {
            throw new ArithmeticException("out of range");
        }
        switch (type.bytes()) {
            case 1 -> bytes.put(value.byteValue());
            case 2 -> bytes.putShort(value.shortValue());
            case 4 -> bytes.putInt(value.intValue());
            default -> bytes.putLong(value.longValue());
        }
    }

    private static byte truth(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "1" -> 1;
            case "false", "0" -> 0;
            default -> throw new NumberFormatException(text);
        };
    }
}
