package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Random models of many operators. Most operators work along random axes, so that some keep rows apart and others mix
 * them, sometimes only by the number of rows.
 */
final class RandomRows extends RandomSizes {
    private static final List<String> UNARY = List.of(
            "Tanh", "Sigmoid", "Relu", "Abs", "Neg", "Sin", "Softsign", "Identity", "Dropout", "Erf", "Clip", "Elu");

    RandomRows(Random random) {
        super(random);
        int rows = 4 + random.nextInt(3);
        Map<String, Long> sizes = new LinkedHashMap<>();
        sizes.put("N", (long) rows);
        sizes.put("T", (long) (random.nextInt(4) == 0 ? rows : 2 + random.nextInt(3)));
        sizes.put("S", (long) (random.nextInt(4) == 0 ? rows : 1 + random.nextInt(3)));
        int count = 1 + random.nextInt(3);
        for (int k = 0; k < count; k++) {
            input("x" + k, sizes, rows);
        }
        int steps = 1 + random.nextInt(7);
        for (int k = 0; k < steps; k++) {
            step();
        }
        output(values.get(values.size() - 1));
        if (random.nextInt(4) == 0) {
            output(any());
        }
    }

    private void step() {
        Value x = any();
        if (x.rank() == 0) {
            add(node("Tanh", x.name()), x.shape());
            return;
        }
        int axis = random.nextInt(3) == 0 ? 0 : random.nextInt(x.rank());
        switch (random.nextInt(39)) {
            case 0, 1 -> add(node(UNARY.get(random.nextInt(UNARY.size())), x.name()), x.shape());
            case 2, 3, 4 -> broadcast(x);
            case 5, 6 -> transpose(x);
            case 7 -> add(node("Unsqueeze", x.name() + ", " + list(axis)), inserted(x.shape(), axis, 1));
            case 8 -> squeeze(x);
            case 9, 10 -> merge(x, axis);
            case 11 -> reshapeLike(x);
            case 12 -> flatten(x);
            case 13, 14 -> reduce(x);
            case 15 -> along(x, axis);
            case 16, 17 -> product(x);
            case 18, 19 -> slice(x, axis);
            case 20 -> concat(x, axis);
            case 21 -> split(x, axis);
            case 22 -> gather(x, axis);
            case 23 -> top(x, axis);
            case 24 -> pad(x, axis);
            case 25, 26 -> recurrent(x);
            case 27 -> expand(x, axis);
            case 28 -> constant(x, axis);
            case 29 -> range(x, axis);
            case 30 -> scale(x);
            case 36, 37, 38 -> scale(x);
            case 31 -> select(x);
            case 32 -> normalize(x, axis);
            case 33 -> images(x);
            case 34 -> tile(x, axis);
            default -> conditional(x);
        }
    }

    /** Arithmetic with another value that fits, or with a constant. */
    private void broadcast(Value x) {
        String operator = List.of("Add", "Sub", "Mul", "Max", "Min").get(random.nextInt(5));
        List<Value> others = new ArrayList<>();
        for (Value other : values) {
            if (joined(x.shape(), other.shape()) != null) {
                others.add(other);
            }
        }
        if (random.nextInt(3) > 0) {
            Value other = others.get(random.nextInt(others.size()));
            add(node(operator, x.name() + ", " + other.name()), joined(x.shape(), other.shape()));
            return;
        }
        long[] shape = Arrays.copyOfRange(x.shape(), random.nextInt(x.rank()), x.rank());
        for (int k = 0; k < shape.length; k++) {
            shape[k] = random.nextInt(3) == 0 ? shape[k] : 1;
        }
        add(node(operator, x.name() + ", " + floats(shape)), x.shape());
    }

    private void transpose(Value x) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, x.rank()).boxed().toList());
        // ONNX Runtime takes a permutation that changes nothing, in front of a Gemm, for one that does.
        Collections.rotate(order, 1);
        if (x.rank() > 2) {
            Collections.shuffle(order, random);
        }
        long[] permutation = order.stream().mapToLong(k -> k).toArray();
        add(
                node("Transpose", x.name(), "perm=" + list(permutation)),
                order.stream().mapToLong(k -> x.shape()[k]).toArray());
    }

    private void squeeze(Value x) {
        for (int axis = 0; axis < x.rank(); axis++) {
            if (x.shape()[axis] == 1) {
                add(node("Squeeze", x.name() + ", " + list(sign(axis, x.rank()))), removed(x.shape(), axis));
                return;
            }
        }
        add(node("Squeeze", x.name()), x.shape());
    }

    private void flatten(Value x) {
        int axis = random.nextInt(x.rank() + 1);
        long front = LongStream.of(x.shape()).limit(axis).reduce(1, (a, b) -> a * b);
        add(node("Flatten", x.name(), "axis=" + axis), front, x.elements() / front);
    }

    private void reduce(Value x) {
        String operator = List.of("ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2", "ReduceProd", "ReduceMin")
                .get(random.nextInt(6));
        boolean keeps = random.nextBoolean();
        List<Long> axes = new ArrayList<>(), shape = new ArrayList<>();
        for (int axis = 0; axis < x.rank(); axis++) {
            if (random.nextInt(x.rank()) == 0) {
                axes.add((long) sign(axis, x.rank()));
                if (keeps) {
                    shape.add(1L);
                }
            } else {
                shape.add(x.shape()[axis]);
            }
        }
        if (!axes.isEmpty()) {
            String list = list(axes.stream().mapToLong(a -> a).toArray());
            boolean isInput = operator.equals("ReduceSum");
            add(
                    node(
                            operator,
                            x.name() + (isInput ? ", " + list : ""),
                            (isInput ? "" : "axes=" + list) + " keepdims=" + (keeps ? 1 : 0)),
                    shape.stream().mapToLong(s -> s).toArray());
        }
    }

    private void along(Value x, int axis) {
        String attribute = "axis=" + sign(axis, x.rank());
        switch (random.nextInt(4)) {
            case 0 -> add(node("Softmax", x.name(), attribute), x.shape());
            case 1 -> add(node("LogSoftmax", x.name(), attribute), x.shape());
            case 2 -> add(node("CumSum", x.name() + ", " + sign(axis, x.rank())), x.shape());
            default -> {
                String index = node("ArgMax", x.name(), attribute + " keepdims=0");
                add(node("Cast", index, "to=1"), removed(x.shape(), axis));
            }
        }
    }

    /** A matrix product with a constant, with another value, or of each row with each other one. */
    private void product(Value x) {
        int rank = x.rank();
        if (rank < 2) {
            return;
        }
        long[] batches = Arrays.copyOf(x.shape(), rank - 2);
        long m = x.shape()[rank - 2], k = x.shape()[rank - 1];
        switch (random.nextInt(4)) {
            case 0 -> add(node("MatMul", x.name() + ", " + floats(k, 4)), with(x.shape(), rank - 1, 4));
            case 1 -> add(node("MatMul", floats(3, m) + ", " + x.name()), with(x.shape(), rank - 2, 3));
            case 2 -> {
                long[] order = IntStream.range(0, rank).asLongStream().toArray();
                order[rank - 1] = rank - 2;
                order[rank - 2] = rank - 1;
                String turned = node("Transpose", x.name(), "perm=" + list(order));
                add(node("MatMul", x.name() + ", " + turned), with(x.shape(), rank - 1, m));
            }
            default -> {
                for (Value y : values) {
                    long[] joined = y.rank() < 2 || y.shape()[y.rank() - 2] != k
                            ? null
                            : joined(batches, Arrays.copyOf(y.shape(), y.rank() - 2));
                    if (joined != null) {
                        long[] shape = Arrays.copyOf(joined, joined.length + 2);
                        shape[joined.length] = m;
                        shape[joined.length + 1] = y.shape()[y.rank() - 1];
                        add(node("MatMul", x.name() + ", " + y.name()), shape);
                        return;
                    }
                }
            }
        }
    }

    private void slice(Value x, int axis) {
        long size = x.shape()[axis];
        String by = ", " + list(sign(axis, x.rank()));
        switch (random.nextInt(5)) {
            case 0 ->
                add(node("Slice", x.name() + ", [1], [9223372036854775807]" + by), with(x.shape(), axis, size - 1));
            case 1 -> add(node("Slice", x.name() + ", [0], [-1]" + by), with(x.shape(), axis, size - 1));
            case 2 -> add(node("Slice", x.name() + ", [-1], [-9223372036854775808]" + by + ", [-1]"), x.shape());
            case 3 -> {
                String end = node("Unsqueeze", size(x, axis) + ", [0]");
                add(node("Slice", x.name() + ", [0], " + end + by), x.shape());
            }
            default -> add(node("Slice", x.name() + ", [0], [1]" + by), with(x.shape(), axis, 1));
        }
    }

    private void concat(Value x, int axis) {
        for (int trial = 0; trial < 4; trial++) {
            Value y = any();
            if (y.rank() == x.rank() && Arrays.equals(with(y.shape(), axis, 0), with(x.shape(), axis, 0))) {
                add(
                        node("Concat", x.name() + ", " + y.name(), "axis=" + sign(axis, x.rank())),
                        with(x.shape(), axis, x.shape()[axis] + y.shape()[axis]));
                return;
            }
        }
        add(node("Concat", x.name() + ", " + x.name(), "axis=" + axis), with(x.shape(), axis, 2 * x.shape()[axis]));
    }

    private void split(Value x, int axis) {
        if (x.shape()[axis] % 2 == 0) {
            String some = fresh(), others = fresh();
            nodes.append(some + ", " + others + " = Split(" + x.name() + ") axis=" + sign(axis, x.rank()) + "\n;");
            long[] half = with(x.shape(), axis, x.shape()[axis] / 2);
            add(some, half);
            add(others, half);
        }
    }

    private void gather(Value x, int axis) {
        String attribute = "axis=" + sign(axis, x.rank());
        switch (random.nextInt(4)) {
            case 0 -> add(node("Gather", x.name() + ", -1", attribute), removed(x.shape(), axis));
            case 1 -> add(node("Gather", x.name() + ", [0,-1]", attribute), with(x.shape(), axis, 2));
            default -> {
                Value y = any();
                if (y.rank() > 0) {
                    int other = random.nextInt(y.rank());
                    String index = node("ArgMax", y.name(), "axis=" + other + " keepdims=0");
                    long most = y.shape()[other];
                    long[] shape = removed(y.shape(), other);
                    if (random.nextBoolean()) {
                        add(node("Gather", floats(most, 3) + ", " + index), inserted(shape, shape.length, 3));
                    } else {
                        // Any index is valid in a value that is long enough.
                        long[] tail = removed(x.shape(), axis);
                        if (x.shape()[axis] >= most && shape.length + tail.length <= LARGEST_RANK) {
                            long[] all = new long[shape.length + tail.length];
                            System.arraycopy(tail, 0, all, 0, axis);
                            System.arraycopy(shape, 0, all, axis, shape.length);
                            System.arraycopy(tail, axis, all, axis + shape.length, tail.length - axis);
                            add(node("Gather", x.name() + ", " + index, attribute), all);
                        }
                    }
                }
            }
        }
    }

    private void top(Value x, int axis) {
        String some = fresh(), index = fresh();
        nodes.append(some + ", " + index + " = TopK(" + x.name() + ", [1]) axis=" + sign(axis, x.rank()) + "\n;");
        long[] shape = with(x.shape(), axis, 1);
        add(some, shape);
        if (random.nextBoolean()) {
            add(node("GatherElements", x.name() + ", " + index, "axis=" + axis), shape);
        }
    }

    private void pad(Value x, int axis) {
        long[] pads = new long[2 * x.rank()];
        pads[axis] = random.nextInt(3) - (x.shape()[axis] > 2 ? 1 : 0);
        pads[axis + x.rank()] = random.nextInt(2);
        add(
                node("Pad", x.name() + ", " + list(pads)),
                with(x.shape(), axis, x.shape()[axis] + pads[axis] + pads[axis + x.rank()]));
    }

    private void recurrent(Value x) {
        if (x.rank() != 3) {
            return;
        }
        long t = x.shape()[0], n = x.shape()[1], i = x.shape()[2];
        String y = fresh(), h = fresh();
        boolean isGru = random.nextInt(3) == 0;
        int gates = isGru ? 3 : 4;
        String arguments = x.name() + ", " + floats(1, gates * 4, i) + ", " + floats(1, gates * 4, 4);
        String given = initial(n);
        nodes.append(y + ", " + h + " = " + (isGru ? "GRU(" : "LSTM(") + arguments
                + (given.isEmpty() ? "" : ", , , " + given) + ") hidden_size=4\n;");
        add(node("Squeeze", y + ", [1]"), t, n, 4);
        add(h, 1, n, 4);
    }

    /** Returns an initial state that some other value gives, or nothing. */
    private String initial(long n) {
        for (Value y : values) {
            if (y.rank() == 3 && y.shape()[0] == 1 && y.shape()[1] == n && y.shape()[2] == 4) {
                return y.name();
            }
        }
        return "";
    }

    private void select(Value x) {
        String condition = node("Greater", x.name() + ", 0.1");
        Value y = any();
        boolean fits = Arrays.equals(joined(x.shape(), y.shape()), x.shape());
        add(node("Where", condition + ", " + x.name() + ", " + (fits ? y.name() : "0.5")), x.shape());
    }

    private void normalize(Value x, int axis) {
        if (random.nextBoolean()) {
            long[] shape = Arrays.copyOfRange(x.shape(), axis, x.rank());
            add(node("LayerNormalization", x.name() + ", " + floats(shape), "axis=" + sign(axis, x.rank())), x.shape());
        } else if (x.rank() >= 3) {
            String c = floats(x.shape()[1]);
            String operator = random.nextBoolean() ? "InstanceNormalization" : "LpNormalization";
            add(
                    operator.startsWith("Lp")
                            ? node(operator, x.name(), "axis=" + axis)
                            : node(operator, x.name() + ", " + c + ", " + c),
                    x.shape());
        }
    }

    private void images(Value x) {
        if (x.rank() != 3) {
            return;
        }
        long n = x.shape()[0], c = x.shape()[1], w = x.shape()[2];
        switch (random.nextInt(4)) {
            case 0 -> add(node("Conv", x.name() + ", " + floats(4, c, 3), "pads=[1,1]"), n, 4, w);
            case 1 -> add(node("MaxPool", x.name(), "kernel_shape=[2] pads=[1,0]"), x.shape());
            case 2 -> add(node("GlobalAveragePool", x.name()), n, c, 1);
            default -> {
                if (w > 1) {
                    add(node("AveragePool", x.name(), "kernel_shape=[2]"), n, c, w - 1);
                }
            }
        }
    }
}
