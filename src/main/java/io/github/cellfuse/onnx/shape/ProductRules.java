package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The rules of matrix products, convolutions and pools. */
final class ProductRules {
    private ProductRules() {}

    /**
     * MatMul: the rows are rows or batches of the left operand, columns or batches of the right one, or batches of
     * both. With N rows, these are allowed, and [4,N] x [N,3] (a sum over the rows) and [N,4] x [4,N] (each row with
     * each other one) are not:
     *
     * <pre>
     * [N,4] x [4,3]    [T,N,4] x [4,3]    [3,4] x [4,N]    [N,T,4] x [4,3]    [N,T,4] x [N,4,T]    [N,T,4] x [1,4,T]
     * </pre>
     */
    static List<TensorFacts> matMul(Operation op) {
        return matMul(op, 0, 1);
    }

    /** MatMulInteger: as MatMul, with zero points that don't depend on the rows. */
    static List<TensorFacts> matMulInteger(Operation op) {
        op.expectNoRows("zero points", 2, 3);
        expectSingle(op, 2);
        if (op.rows(1).isPresent()) {
            expectSingle(op, 3);
        }
        return matMul(op, 0, 1);
    }

    /** QLinearMatMul: an operand with rows has one scale for all of them. */
    static List<TensorFacts> quantizedMatMul(Operation op) {
        op.expectNoRows("scales", 1, 2, 4, 5, 6, 7);
        expectSingle(op, 1);
        expectSingle(op, 2);
        if (op.rows(3).isPresent()) {
            expectSingle(op, 4);
            expectSingle(op, 5);
        }
        expectSingle(op, 6);
        expectSingle(op, 7);
        return matMul(op, 0, 3);
    }

    /** Ends the proof if input {@code k} may have a number for each row. */
    private static void expectSingle(Operation op, int k) {
        boolean isSingle = !op.has(k)
                || op.dims(k).filter(d -> d.stream().allMatch(s -> s.is(1))).isPresent();
        if (op.hasRows() && !isSingle) {
            throw op.ended("scales each row by a number of its own");
        }
    }

    private static List<TensorFacts> matMul(Operation op, int left, int right) {
        for (int k : new int[] {left, right}) {
            if (op.dims(k).isEmpty() || op.known(k).isEmpty()) {
                if (op.hasRows()) {
                    throw op.lacking(k);
                }
                return List.of(TensorFacts.UNKNOWN);
            }
        }
        List<Size> a = op.known(left), b = op.known(right);
        boolean isVectorA = a.size() == 1, isVectorB = b.size() == 1;
        int rank = Math.max(Math.max(a.size(), b.size()), 2), batches = rank - 2;
        // The axes of [..., M, K] and [..., K, N], with the axes that a vector lacks.
        List<Size> dims = new ArrayList<>();
        for (int axis = 0; axis < batches; axis++) {
            Size sizeA = batch(a, isVectorA, axis, rank), sizeB = batch(b, isVectorB, axis, rank);
            dims.add(ElementRules.joined(op, List.of(sizeA, sizeB)));
        }
        Optional<Integer> rowsA = op.rows(left).map(r -> isVectorA ? rank - 1 : r.axis() + rank - a.size());
        Optional<Integer> rowsB = op.rows(right).map(r -> isVectorB ? rank - 2 : r.axis() + rank - b.size());
        if (rowsA.filter(axis -> axis == rank - 1).isPresent()
                || rowsB.filter(axis -> axis == rank - 2).isPresent()) {
            throw op.ended("adds up the rows");
        }
        if (rowsA.isPresent() && rowsB.isPresent()) {
            boolean areSame = rowsA.equals(rowsB)
                    && rowsA.get() < batches
                    && op.rows(left).get().outer().equals(op.rows(right).get().outer())
                    && op.rows(left).get().inner().equals(op.rows(right).get().inner());
            if (!areSame) {
                throw op.ended("combines each row with each other row");
            }
        }
        if (rowsA.isPresent()
                && rowsB.isEmpty()
                && rowsA.get() < batches
                && !batch(b, isVectorB, rowsA.get(), rank).is(1)) {
            throw op.lacking(right);
        }
        if (rowsB.isPresent()
                && rowsA.isEmpty()
                && rowsB.get() < batches
                && !batch(a, isVectorA, rowsB.get(), rank).is(1)) {
            throw op.lacking(left);
        }
        int axis = rowsA.or(() -> rowsB).orElse(-1);
        Optional<RowAxis> rows = op.rows(left).or(() -> op.rows(right));
        if (!isVectorA) {
            dims.add(a.get(a.size() - 2));
        } else if (axis == rank - 1) {
            axis--;
        }
        if (!isVectorB) {
            dims.add(b.get(b.size() - 1));
        }
        int at = axis;
        return List.of(TensorFacts.of(dims).withRows(rows.map(r -> r.movedTo(at))));
    }

    private static Size batch(List<Size> dims, boolean isVector, int axis, int rank) {
        int own = axis - rank + dims.size();
        return isVector || own < 0 ? Size.ONE : dims.get(own);
    }

    static List<TensorFacts> gemm(Operation op) {
        boolean turnsA = op.node().integer("transA", 0) != 0, turnsB = op.node().integer("transB", 0) != 0;
        int rowAxis = turnsA ? 1 : 0;
        if (op.rows(0).filter(r -> r.axis() != rowAxis).isPresent()) {
            throw op.ended("adds up the rows");
        }
        op.expectNoRows("weights", 1);
        if (op.rows(0).isEmpty()) {
            op.expectNoRows("addend", 2);
        } else if (op.has(2)) {
            Optional<List<Size>> c = op.dims(2);
            boolean isShared = op.rows(2).isEmpty()
                    && c.filter(d -> d.size() < 2 || d.get(0).is(1)).isPresent();
            boolean isOfRows = op.rows(2).equals(op.rows(0).map(r -> r.movedTo(0)));
            if (!isShared && !(isOfRows && op.known(2).size() == 2)) {
                throw op.lacking(2);
            }
        }
        Size m = op.dims(0).filter(d -> d.size() == 2).map(d -> d.get(rowAxis)).orElseGet(op::unknown);
        Size n = op.dims(1)
                .filter(d -> d.size() == 2)
                .map(d -> d.get(turnsB ? 0 : 1))
                .orElseGet(op::unknown);
        return List.of(TensorFacts.of(List.of(m, n)).withRows(op.rows(0).map(r -> r.movedTo(0))));
    }

    /** Conv and ConvInteger: each image of axis 0 by itself. */
    static List<TensorFacts> conv(Operation op) {
        op.expectNoRows("weights", 1, 2, 3);
        return convolved(op, 1);
    }

    static List<TensorFacts> quantizedConv(Operation op) {
        op.expectNoRows("weights or scales", 1, 2, 3, 4, 5, 6, 7, 8);
        return convolved(op, 3);
    }

    private static List<TensorFacts> convolved(Operation op, int weights) {
        expectImages(op);
        if (op.dims(0).isEmpty() && op.dims(weights).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        int rank = op.dims(0).or(() -> op.dims(weights)).get().size();
        Size channels =
                op.dims(weights).filter(d -> !d.isEmpty()).map(d -> d.get(0)).orElseGet(op::unknown);
        List<Long> kernel = op.node()
                .integers("kernel_shape")
                .orElseGet(() -> op.dims(weights)
                        .filter(d -> d.stream().allMatch(s -> s.fixed().isPresent()))
                        .map(d -> d.subList(Math.min(2, d.size()), d.size()).stream()
                                .map(Size::factor)
                                .toList())
                        .orElse(List.of()));
        return List.of(windows(op, rank, channels, kernel));
    }

    private static void expectImages(Operation op) {
        if (op.rows(0).isPresent() && op.rows(0).get().axis() != 0) {
            throw op.ended("computes across the axis of the rows");
        }
    }

    /** ConvTranspose: the sizes of its output aren't followed. */
    static List<TensorFacts> convTranspose(Operation op) {
        op.expectNoRows("weights", 1, 2);
        expectImages(op);
        return List.of(resized(op));
    }

    /** Returns the facts of images, one for each index of axis 0 of input 0, whose other sizes are unknown. */
    static TensorFacts resized(Operation op) {
        if (op.dims(0).isEmpty()) {
            return TensorFacts.UNKNOWN;
        }
        List<Size> dims = new ArrayList<>(op.unknowns(op.known(0).size()));
        if (!dims.isEmpty()) {
            dims.set(0, op.known(0).get(0));
        }
        return TensorFacts.of(dims).withRows(op.rows(0));
    }

    /** AveragePool, MaxPool and LpPool. */
    static List<TensorFacts> pool(Operation op) {
        expectImages(op);
        if (op.dims(0).isEmpty() || op.known(0).size() < 2) {
            return List.of(TensorFacts.UNKNOWN);
        }
        if (op.outputCount() > 1 && op.hasRows()) {
            throw op.ended("gives indices into all rows");
        }
        List<Long> kernel = op.node().integers("kernel_shape").orElse(List.of());
        return List.of(windows(op, op.known(0).size(), op.known(0).get(1), kernel));
    }

    static List<TensorFacts> globalPool(Operation op) {
        expectImages(op);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = new ArrayList<>(op.known(0));
        for (int axis = 2; axis < dims.size(); axis++) {
            dims.set(axis, Size.ONE);
        }
        return List.of(TensorFacts.of(dims).withRows(op.rows(0)));
    }

    /** Returns the facts of the output of a window that slides over the axes from 2 on. */
    private static TensorFacts windows(Operation op, int rank, Size channels, List<Long> kernel) {
        List<Size> dims = new ArrayList<>();
        dims.add(op.dims(0).filter(d -> !d.isEmpty()).map(d -> d.get(0)).orElseGet(op::unknown));
        dims.add(channels);
        for (int axis = 2; axis < rank; axis++) {
            int k = axis - 2;
            Optional<Size> size =
                    op.dims(0).filter(d -> kernel.size() == rank - 2).flatMap(d -> window(op, d.get(k + 2), kernel, k));
            dims.add(size.orElseGet(op::unknown));
        }
        return TensorFacts.of(dims).withRows(op.rows(0));
    }

    private static Optional<Size> window(Operation op, Size size, List<Long> kernel, int k) {
        long stride = number(op, "strides", k, 1), dilation = number(op, "dilations", k, 1);
        long extent = dilation * (kernel.get(k) - 1) + 1;
        String padding = op.node().text("auto_pad", "NOTSET");
        long pads = padding.equals("NOTSET") ? number(op, "pads", k, 0) + number(op, "pads", k + kernel.size(), 0) : 0;
        if (stride < 1 || extent < 1) {
            return Optional.empty();
        }
        boolean isSame = padding.startsWith("SAME");
        if (stride == 1 && (isSame || pads == extent - 1)) {
            return Optional.of(size);
        }
        if (size.fixed().isEmpty()) {
            return Optional.empty();
        }
        long length = size.factor();
        if (isSame) {
            return Optional.of(Size.of((length + stride - 1) / stride));
        }
        long room = length + pads - extent;
        if (room < 0) {
            return Optional.empty();
        }
        boolean roundsUp = op.node().integer("ceil_mode", 0) != 0;
        // Rounding up, the last window must begin within the input, which isn't followed.
        return roundsUp && room % stride != 0 ? Optional.empty() : Optional.of(Size.of(room / stride + 1));
    }

    private static long number(Operation op, String attribute, int k, long otherwise) {
        return op.node()
                .integers(attribute)
                .filter(l -> k < l.size())
                .map(l -> l.get(k))
                .orElse(otherwise);
    }
}
