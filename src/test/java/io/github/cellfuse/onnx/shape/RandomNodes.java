package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** The nodes of a random model, as text for {@link io.github.cellfuse.onnx.graph.ModelText}, and their values. */
abstract class RandomNodes {
    static final int LARGEST_RANK = 4;
    private static final int MOST_ELEMENTS = 20_000;

    /** A value and its shape in the run on all rows. */
    record Value(String name, long[] shape) {
        int rank() {
            return shape.length;
        }

        long elements() {
            return LongStream.of(shape).reduce(1, (a, b) -> a * b);
        }
    }

    final StringBuilder nodes = new StringBuilder();
    final StringBuilder inputs = new StringBuilder();
    final StringBuilder outputs = new StringBuilder();
    /** The shapes of the inputs. */
    final Map<String, long[]> shapes = new LinkedHashMap<>();

    final Random random;
    final List<Value> values = new ArrayList<>();
    private int named;

    RandomNodes(Random random) {
        this.random = random;
    }

    void input(String name, Map<String, Long> sizes, int rows) {
        int rank = 2 + random.nextInt(2);
        long[] shape = new long[rank];
        List<String> dims = new ArrayList<>();
        int place = random.nextInt(4) == 0 ? random.nextInt(rank) : 0;
        boolean isSame = random.nextInt(3) > 0;
        for (int axis = 0; axis < rank; axis++) {
            String dim = axis == place
                    ? (isSame ? "N" : "M" + name)
                    : List.of("T", "S", "3", "4", "2").get(random.nextInt(5));
            dims.add(dim);
            shape[axis] = axis == place ? rows : sizes.getOrDefault(dim, 0L);
            if (shape[axis] == 0) {
                shape[axis] = Long.parseLong(dim);
            }
        }
        inputs.append(' ').append(name).append(':').append(String.join(",", dims));
        shapes.put(name, shape);
        values.add(new Value(name, shape));
    }

    void output(Value value) {
        String name = fresh();
        nodes.append(name).append(" = Identity(").append(value.name).append(")\n;");
        outputs.append(' ').append(name).append(":?");
    }

    String fresh() {
        return "v" + named++;
    }

    /** The newest value more often than others. */
    Value any() {
        return random.nextInt(3) > 0 ? values.get(values.size() - 1) : values.get(random.nextInt(values.size()));
    }

    /** Adds a node and returns the name of its output. */
    String node(String operator, String arguments, String attributes) {
        String name = fresh();
        nodes.append(name)
                .append(" = ")
                .append(operator)
                .append('(')
                .append(arguments)
                .append(") ")
                .append(attributes)
                .append("\n;");
        return name;
    }

    String node(String operator, String arguments) {
        return node(operator, arguments, "");
    }

    void add(String name, long... shape) {
        Value value = new Value(name, shape);
        if (shape.length <= LARGEST_RANK && value.elements() <= MOST_ELEMENTS && value.elements() > 0) {
            values.add(value);
        }
    }

    static String list(long... numbers) {
        return LongStream.of(numbers).mapToObj(Long::toString).collect(Collectors.joining(",", "[", "]"));
    }

    static String floats(long... shape) {
        return list(shape).replace('[', '{').replace(']', '}');
    }

    static long[] with(long[] shape, int axis, long size) {
        long[] changed = shape.clone();
        changed[axis] = size;
        return changed;
    }

    /** Returns an axis as it is, or counted from the end. */
    int sign(int axis, int rank) {
        return random.nextBoolean() ? axis : axis - rank;
    }

    String size(Value value, int axis) {
        return node("Gather", node("Shape", value.name) + ", " + axis);
    }

    static long[] inserted(long[] shape, int axis, long size) {
        long[] longer = new long[shape.length + 1];
        for (int k = 0; k < longer.length; k++) {
            longer[k] = k < axis ? shape[k] : k == axis ? size : shape[k - 1];
        }
        return longer;
    }

    static long[] removed(long[] shape, int axis) {
        return IntStream.range(0, shape.length)
                .filter(k -> k != axis)
                .mapToLong(k -> shape[k])
                .toArray();
    }

    /** Returns the shape of two values broadcast together, or null if they don't fit. */
    static long[] joined(long[] a, long[] b) {
        int rank = Math.max(a.length, b.length);
        long[] all = new long[rank];
        for (int k = 0; k < rank; k++) {
            int i = k - rank + a.length, j = k - rank + b.length;
            long one = i < 0 ? 1 : a[i], other = j < 0 ? 1 : b[j];
            if (one != other && one != 1 && other != 1) {
                return null;
            }
            all[k] = Math.max(one, other);
        }
        return all;
    }
}
