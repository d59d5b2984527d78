package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.spi.HalfPrecision;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Runs a model on all rows at once and on pieces of them, and compares. */
public final class RowPieces {
    /** ONNX Runtime adds up a matrix product in an order that depends on the number of rows. */
    private static final double TOLERANCE = 1e-6;

    private RowPieces() {}

    /**
     * Compares a run on all rows with runs on pieces of them.
     *
     * @param axes the axes of the rows, and the fewest rows of a piece
     * @return what differs; nothing if the results are the same
     */
    public static Optional<String> difference(
            OnnxModel model, RowAxes axes, Map<String, Tensor> inputs, Random random) {
        return difference(model, model, axes, inputs, sizes(rows(axes, inputs), (int) axes.fewest(), random));
    }

    /**
     * Compares a run of a model on all rows with runs of the same model, but made for one row, on one row after the
     * other; otherwise as {@link #difference(OnnxModel, RowAxes, Map, Random)}.
     */
    public static Optional<String> difference(
            OnnxModel model, OnnxModel single, RowAxes axes, Map<String, Tensor> inputs) {
        return difference(model, single, axes, inputs, Collections.nCopies(rows(axes, inputs), 1));
    }

    private static Optional<String> difference(
            OnnxModel model, OnnxModel small, RowAxes axes, Map<String, Tensor> inputs, List<Integer> sizes) {
        Map<String, Tensor> whole = run(model, inputs);
        Map<String, List<Tensor>> pieces = new LinkedHashMap<>();
        int start = 0;
        try (OnnxSession session = small.session(Device.JAVA, EngineOptions.DEFAULT)) {
            for (int size : sizes) {
                Map<String, Tensor> part = new LinkedHashMap<>(inputs);
                int from = start;
                axes.inputs().forEach((name, axis) -> part.put(name, cut(inputs.get(name), axis, from, size)));
                session.run(part)
                        .forEach((name, value) -> pieces.computeIfAbsent(name, k -> new ArrayList<>())
                                .add(value));
                start += size;
            }
        }
        for (Map.Entry<String, Tensor> result : whole.entrySet()) {
            Integer axis = axes.outputs().get(result.getKey());
            Optional<String> difference =
                    difference(result.getValue(), pieces.get(result.getKey()), axis, sizes, start);
            if (difference.isPresent()) {
                return Optional.of(result.getKey() + " in pieces of " + sizes + " rows: " + difference.get());
            }
        }
        return Optional.empty();
    }

    /** Returns the results of a run on all rows. */
    public static Map<String, Tensor> run(OnnxModel model, Map<String, Tensor> inputs) {
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            return session.run(inputs);
        }
    }

    private static Optional<String> difference(
            Tensor whole, List<Tensor> pieces, Integer axis, List<Integer> sizes, int rows) {
        int from = 0;
        for (int k = 0; k < sizes.size(); k++) {
            Tensor expected = whole;
            if (axis != null) {
                if (whole.rank() <= axis || whole.dimension(axis) % rows != 0) {
                    return Optional.of("expected a multiple of " + rows + " along axis " + axis + ", found " + whole);
                }
                int inner = (int) whole.dimension(axis) / rows;
                expected = cut(whole, axis, from * inner, sizes.get(k) * inner);
            }
            from += sizes.get(k);
            Tensor found = pieces.get(k);
            if (!Arrays.equals(expected.shape(), found.shape()) || expected.type() != found.type()) {
                return Optional.of("expected " + expected + ", found " + found);
            }
            double[] e = Tensors.values(expected), f = Tensors.values(found);
            double largest = Arrays.stream(e)
                    .map(Math::abs)
                    .filter(Double::isFinite)
                    .max()
                    .orElse(0);
            for (int i = 0; i < e.length; i++) {
                boolean isSame =
                        Double.compare(e[i], f[i]) == 0 || Math.abs(e[i] - f[i]) <= TOLERANCE * Math.max(1, largest);
                if (!isSame) {
                    return Optional.of("expected " + e[i] + ", found " + f[i]);
                }
            }
        }
        return Optional.empty();
    }

    /** Returns the number of rows. */
    public static int rows(RowAxes axes, Map<String, Tensor> inputs) {
        Map.Entry<String, Integer> any = axes.inputs().entrySet().iterator().next();
        return (int) inputs.get(any.getKey()).dimension(any.getValue());
    }

    /** Returns at least two random sizes of pieces, if that many rows are enough for two. */
    private static List<Integer> sizes(int rows, int fewest, Random random) {
        List<Integer> sizes = new ArrayList<>();
        int left = rows;
        while (left >= 2 * fewest) {
            int most = Math.max(fewest, Math.min(left - fewest, rows / 2));
            int size = fewest + random.nextInt(most - fewest + 1);
            sizes.add(size);
            left -= size;
        }
        if (left > 0) {
            sizes.add(left);
        }
        return sizes;
    }

    private static Tensor cut(Tensor tensor, int axis, int from, int count) {
        long[] shape = tensor.shape();
        int outer = 1, block = tensor.type().bytes(), all = (int) shape[axis];
        for (int k = 0; k < shape.length; k++) {
            outer *= k < axis ? (int) shape[k] : 1;
            block *= k > axis ? (int) shape[k] : 1;
        }
        shape[axis] = count;
        ByteBuffer source = tensor.bytes(), target = Tensor.allocate(outer * count * block);
        for (int k = 0; k < outer; k++) {
            target.put(source.slice((k * all + from) * block, count * block));
        }
        return new Tensor(tensor.type(), target.flip(), shape);
    }

    /** Returns random numbers: normal ones, or small whole ones. */
    public static Tensor random(ElementType type, Random random, long... shape) {
        double[] values = new double[Tensor.size(ElementType.INT8, shape)];
        for (int k = 0; k < values.length; k++) {
            values[k] = switch (type) {
                case FLOAT32, FLOAT64, FLOAT16 -> random.nextGaussian();
                case BOOL -> random.nextInt(2);
                case INT8 -> random.nextInt(100) - 50;
                case UINT8 -> random.nextInt(200);
                default -> random.nextInt(3);
            };
        }
        return of(type, values, shape);
    }

    /** Returns a tensor of any type. */
    public static Tensor of(ElementType type, double[] values, long... shape) {
        Tensor tensor = Tensor.zeros(type, shape);
        ByteBuffer bytes = tensor.memory();
        for (double value : values) {
            switch (type) {
                case FLOAT32 -> bytes.putFloat((float) value);
                case FLOAT64 -> bytes.putDouble(value);
                case INT64 -> bytes.putLong((long) value);
                case INT32 -> bytes.putInt((int) value);
                case INT8, UINT8, BOOL -> bytes.put((byte) (long) value);
                case FLOAT16 -> bytes.putShort(HalfPrecision.floatToFloat16((float) value));
                default -> throw new IllegalArgumentException(type.toString());
            }
        }
        return tensor;
    }
}
