package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The rules of operators that compute along some of the axes: reductions, Softmax, normalizations. */
final class AxisRules {
    private static final long SOFTMAX_HAS_ONE_AXIS = 13;

    private AxisRules() {}

    /** Reductions such as ReduceMean, whose axes are an attribute and later an input. */
    static List<TensorFacts> reduce(Operation op) {
        op.expectNoRows("axes", 1);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        long since = op.operator().equals("ReduceSum") ? 13 : 18;
        List<Size> from = op.known(0);
        boolean isGiven = op.opset() >= since && op.has(1)
                || op.opset() < since && op.node().integers("axes").isPresent();
        Optional<long[]> axes = op.integers("axes", 1, since);
        if (isGiven && axes.isEmpty()) {
            if (op.hasRows()) {
                throw op.ended("reduces along axes that aren't constant");
            }
            return List.of(TensorFacts.UNKNOWN);
        }
        boolean keepsAll =
                axes.map(a -> a.length == 0).orElse(true) && op.node().integer("noop_with_empty_axes", 0) != 0;
        boolean[] isReduced = new boolean[from.size()];
        if (axes.isPresent() && axes.get().length > 0) {
            for (long axis : axes.get()) {
                isReduced[op.axis(axis, from.size())] = true;
            }
        } else {
            Arrays.fill(isReduced, !keepsAll);
        }
        TensorFacts facts = reduced(op, isReduced, op.node().integer("keepdims", 1) != 0);
        boolean isWhole = isReduced.length == 0 || isReduced.length == 1 && isReduced[0];
        Optional<List<Size>> elements = op.operator().equals("ReduceProd") && isWhole ? product(op) : Optional.empty();
        return List.of(elements.map(facts::withElements).orElse(facts));
    }

    /** Returns the product of a vector of sizes, such as a shape. */
    private static Optional<List<Size>> product(Operation op) {
        return op.input(0)
                .elements()
                .filter(all -> all.stream().allMatch(Size::isWhole))
                .flatMap(Size::product)
                .map(List::of);
    }

    private static TensorFacts reduced(Operation op, boolean[] isReduced, boolean keeps) {
        List<Size> from = op.known(0), to = new ArrayList<>();
        Optional<RowAxis> rows = Optional.empty();
        for (int axis = 0; axis < from.size(); axis++) {
            boolean isRows = op.rows(0).isPresent() && op.rows(0).get().axis() == axis;
            if (isRows && isReduced[axis]) {
                throw op.ended("reduces along the axis of the rows");
            }
            if (isRows) {
                rows = Optional.of(op.rows(0).get().movedTo(to.size()));
            }
            if (!isReduced[axis]) {
                to.add(from.get(axis));
            } else if (keeps) {
                to.add(Size.ONE);
            }
        }
        return TensorFacts.of(to).withRows(rows);
    }

    /** ArgMax and ArgMin. */
    static List<TensorFacts> argument(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        boolean[] isReduced = new boolean[op.known(0).size()];
        isReduced[op.axis(op.node().integer("axis", 0), isReduced.length)] = true;
        return List.of(reduced(op, isReduced, op.node().integer("keepdims", 1) != 0));
    }

    /**
     * Softmax, LogSoftmax and Hardmax: along one axis. Before opset 13 the value was taken for a matrix, whose columns
     * are all axes from this one on.
     */
    static List<TensorFacts> softmax(Operation op) {
        boolean isOneAxis = op.opset() >= SOFTMAX_HAS_ONE_AXIS;
        if (op.rows(0).isPresent()) {
            int axis = op.axis(
                    op.node().integer("axis", isOneAxis ? -1 : 1), op.known(0).size());
            int rows = op.rows(0).get().axis();
            if (isOneAxis ? rows == axis : rows >= axis) {
                throw op.ended("computes along the axis of the rows");
            }
        }
        return List.of(op.input(0).withoutElements());
    }

    /** LpNormalization and CumSum: along one axis, an attribute or input 1. */
    static List<TensorFacts> alongAxis(Operation op) {
        op.expectNoRows("axis", 1);
        if (op.rows(0).isPresent()) {
            Optional<long[]> given = op.has(1)
                    ? op.numbers(1)
                    : Optional.of(new long[] {op.node().integer("axis", -1)});
            if (given.isEmpty() || given.get().length != 1) {
                throw op.ended("computes along an axis that isn't constant");
            }
            if (op.axis(given.get()[0], op.known(0).size()) == op.rows(0).get().axis()) {
                throw op.ended("computes along the axis of the rows");
            }
        }
        return List.of(op.input(0).withoutElements());
    }

    static List<TensorFacts> topK(Operation op) {
        op.expectNoRows("count", 1);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = new ArrayList<>(op.known(0));
        int axis = op.axis(op.node().integer("axis", -1), dims.size());
        if (op.rows(0).isPresent() && op.rows(0).get().axis() == axis) {
            throw op.ended("selects some of the rows");
        }
        Optional<Size> count = op.opset() < 10
                ? Optional.of(Size.of(op.node().integer("k", 0)))
                : op.input(1).elements().filter(e -> e.size() == 1).map(e -> e.get(0));
        if (count.filter(Size::isOfRows).isPresent()) {
            throw op.ended("selects as many elements as there are rows");
        }
        dims.set(axis, count.orElseGet(op::unknown));
        return List.of(TensorFacts.of(dims).withRows(op.rows(0)));
    }

    /** LayerNormalization and RMSNormalization: over the axes from {@code axis} on. */
    static List<TensorFacts> layerNormalization(Operation op) {
        op.expectNoRows("scale or bias", 1, 2);
        if (op.rows(0).isPresent()) {
            int rank = op.known(0).size(), axis = op.axis(op.node().integer("axis", -1), rank);
            if (op.rows(0).get().axis() >= axis) {
                throw op.ended("normalizes over the rows");
            }
            for (int k = 1; k <= 2; k++) {
                if (op.has(k) && op.dims(k).filter(d -> d.size() <= rank - axis).isEmpty()) {
                    throw op.ended("scales each row by a number of its own");
                }
            }
        }
        return List.of(op.input(0).withoutElements(), TensorFacts.UNKNOWN);
    }

    /** BatchNormalization with constant statistics: one number for each channel, axis 1. */
    static List<TensorFacts> batchNormalization(Operation op) {
        op.expectNoRows("statistics", 1, 2, 3, 4);
        // Before there was an attribute for it, the number of outputs chose the mode.
        boolean isTraining = op.node().integer("training_mode", 0) != 0
                || op.opset() < 14 && op.outputCount() > 1
                || op.opset() < 7 && op.node().integer("is_test", 0) == 0;
        if (isTraining) {
            throw op.ended("normalizes over the rows, in training mode");
        }
        boolean hasOnePerActivation = op.opset() < 9 && op.node().integer("spatial", 1) == 0;
        if (op.rows(0)
                .filter(r -> hasOnePerActivation ? r.axis() > 0 : r.axis() == 1)
                .isPresent()) {
            throw op.ended("scales each row by a number of its own");
        }
        return List.of(op.input(0).withoutElements(), TensorFacts.UNKNOWN);
    }

    /** InstanceNormalization, GroupNormalization and LRN: each item of axis 0 by itself. */
    static List<TensorFacts> eachItem(Operation op) {
        op.expectNoRows("scale or bias", 1, 2);
        if (op.rows(0).isPresent() && op.rows(0).get().axis() != 0) {
            throw op.ended("normalizes over the rows");
        }
        return List.of(op.input(0).withoutElements());
    }

    /** MeanVarianceNormalization: over the axes of an attribute. */
    static List<TensorFacts> meanVariance(Operation op) {
        if (op.hasRows() && op.opset() < 9) {
            throw op.ended("normalizes over axes that weren't part of ONNX yet");
        }
        List<Long> axes = op.node().integers("axes").orElse(List.of(0L, 2L, 3L));
        if (op.rows(0).isPresent()) {
            for (long axis : axes) {
                if (op.axis(axis, op.known(0).size()) == op.rows(0).get().axis()) {
                    throw op.ended("normalizes over the rows");
                }
            }
        }
        return List.of(op.input(0).withoutElements());
    }
}
