package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Steps of a random model that compute with the sizes of values. */
abstract class RandomSizes extends RandomNodes {
    RandomSizes(Random random) {
        super(random);
    }

    /** Joins two axes to one by a shape that nodes compute, and may take them apart again. */
    void merge(Value x, int first) {
        if (x.rank() < 2) {
            return;
        }
        int axis = Math.min(first, x.rank() - 2);
        List<String> sizes = new ArrayList<>();
        for (int k = 0; k < x.rank(); k++) {
            if (k != axis + 1) {
                String size = size(x, k);
                size = k == axis ? node("Mul", size + ", " + size(x, axis + 1)) : size;
                size = random.nextInt(4) == 0 ? "[-1]" : node("Unsqueeze", size + ", [0]");
                sizes.add(sizes.contains("[-1]") && size.equals("[-1]") ? "[0]" : size);
            }
        }
        // A literal 0 would copy the size of the axis with the same number, which differs behind the joined one.
        if (sizes.contains("[0]")) {
            return;
        }
        long[] shape = with(removed(x.shape(), axis + 1), axis, x.shape()[axis] * x.shape()[axis + 1]);
        String target = node("Concat", String.join(", ", sizes), "axis=0");
        Value merged = new Value(node("Reshape", x.name() + ", " + target), shape);
        add(merged.name(), shape);
        if (random.nextBoolean()) {
            String changed = node("Tanh", merged.name());
            add(node("Reshape", changed + ", " + node("Shape", x.name())), x.shape());
        }
    }

    /** Gives a value the shape of another one with as many elements. */
    void reshapeLike(Value x) {
        List<Value> others =
                values.stream().filter(v -> v.elements() == x.elements()).toList();
        Value other = others.get(random.nextInt(others.size()));
        add(node("Reshape", x.name() + ", " + node("Shape", other.name())), other.shape());
    }

    void expand(Value x, int axis) {
        if (random.nextBoolean()) {
            long[] shape = random.nextBoolean() ? new long[] {1} : with(new long[x.rank()], 0, 1);
            Arrays.fill(shape, 1);
            add(node("Expand", floats(shape) + ", " + node("Shape", x.name())), x.shape());
        } else {
            String longer = node("Unsqueeze", x.name() + ", " + list(axis));
            Value y = any();
            int other = y.rank() == 0 ? -1 : random.nextInt(y.rank());
            if (other < 0) {
                return;
            }
            List<String> sizes = new ArrayList<>();
            for (int k = 0; k <= x.rank(); k++) {
                sizes.add(k == axis ? node("Unsqueeze", size(y, other) + ", [0]") : "[-1]");
            }
            // What PyTorch makes of expand(-1, ...): -1 means 1.
            String target = node("Concat", String.join(", ", sizes), "axis=0");
            String isOpen = node("Equal", target + ", [-1]");
            String plain = node("Where", isOpen + ", [1], " + target);
            add(node("Expand", longer + ", " + plain), inserted(x.shape(), axis, y.shape()[other]));
        }
    }

    void constant(Value x, int axis) {
        if (random.nextBoolean()) {
            add(node("ConstantOfShape", node("Shape", x.name()), "value=f32[0.5]"), x.shape());
        } else {
            String sizes = node("Concat", node("Unsqueeze", size(x, axis) + ", [0]") + ", [4]", "axis=0");
            add(node("ConstantOfShape", sizes, "value=f32[0.5]"), x.shape()[axis], 4);
        }
    }

    void range(Value x, int axis) {
        String numbers = node("Range", "0, " + size(x, axis) + ", 1");
        String positions = node("Cast", numbers, "to=1");
        long[] shape = new long[x.rank() - axis];
        Arrays.fill(shape, 1);
        shape[0] = -1;
        add(node("Mul", x.name() + ", " + node("Reshape", positions + ", " + list(shape))), x.shape());
    }

    void tile(Value x, int axis) {
        long[] repeats = new long[x.rank()];
        Arrays.fill(repeats, 1);
        if (random.nextBoolean()) {
            repeats[axis] = 2;
            add(node("Tile", x.name() + ", " + list(repeats)), with(x.shape(), axis, 2 * x.shape()[axis]));
            return;
        }
        Value y = any();
        if (y.rank() > 0) {
            int other = random.nextInt(y.rank());
            List<String> times = new ArrayList<>();
            for (int k = 0; k < x.rank(); k++) {
                times.add(k == axis ? node("Unsqueeze", size(y, other) + ", [0]") : "[1]");
            }
            String all = node("Concat", String.join(", ", times), "axis=0");
            add(node("Tile", x.name() + ", " + all), with(x.shape(), axis, x.shape()[axis] * y.shape()[other]));
        }
    }

    /** Multiplies by a number that is computed from sizes, or divides by it. */
    void scale(Value x) {
        add(node(random.nextBoolean() ? "Mul" : "Div", x.name() + ", " + number(1 + random.nextInt(3))), x.shape());
    }

    /** An If by numbers that are computed from sizes. */
    void conditional(Value x) {
        String operator = List.of("Equal", "Less", "Greater").get(random.nextInt(3));
        String condition = node(operator, number(1) + ", " + number(0));
        String some = branch(x), others = branch(x);
        add(node("If", condition, "then_branch={" + some + "} else_branch={" + others + "}"), x.shape());
    }

    /** Returns a float that is computed from sizes, often such that it looks as if they didn't matter. */
    private String number(int depth) {
        if (depth == 0) {
            Value y = any();
            return y.rank() == 0 || random.nextInt(3) == 0
                    ? random.nextInt(4) + ".0"
                    : node("Cast", size(y, random.nextInt(y.rank())), "to=1");
        }
        String a = number(depth - 1), b = random.nextBoolean() ? a : number(depth - 1);
        return switch (random.nextInt(11)) {
            case 0 -> node("Add", a + ", " + b);
            case 1 -> node("Sub", a + ", " + b);
            case 2 -> node("Mul", a + ", " + b);
            case 3, 4, 5 -> node("Div", a + ", " + (random.nextInt(3) == 0 ? b : "2.0"));
            case 6 -> node(random.nextBoolean() ? "Max" : "Min", a + ", " + b);
            case 7 -> node("Sub", a + ", " + node(random.nextBoolean() ? "Floor" : "Ceil", a));
            case 8 -> node("Sub", a + ", " + node("Cast", node("Cast", a, "to=7"), "to=1"));
            case 9 -> node("Cast", node("Cast", a, "to=" + (random.nextBoolean() ? 9 : 10)), "to=1");
            default -> node("Where", node("Equal", a + ", " + b) + ", " + b + ", " + number(0));
        };
    }

    private String branch(Value x) {
        String a = fresh(), b = fresh();
        return switch (random.nextInt(4)) {
            case 0 -> a + " = Tanh(" + x.name() + ") => " + a;
            case 1 -> a + " = Neg(" + x.name() + "); " + b + " = Mul(" + a + ", 0.5) => " + b;
            case 2 -> a + " = Softmax(" + x.name() + ") axis=" + random.nextInt(x.rank()) + " => " + a;
            default -> a + " = Identity(" + x.name() + ") => " + a;
        };
    }
}
