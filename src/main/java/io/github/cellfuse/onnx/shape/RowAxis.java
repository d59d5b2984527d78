package io.github.cellfuse.onnx.shape;

import java.util.List;
import java.util.Optional;

/**
 * The axis along which a value holds the rows. Its size is {@code outer * rows * inner}, in this order: a reshape may
 * have joined the rows with other axes. For example, with N rows:
 *
 * <pre>
 * [N, 4]                axis 0, outer 1, inner 1
 * [N, T, 4] -> [N*T, 4] axis 0, outer 1, inner T    n0t0 n0t1 n0t2 n1t0 n1t1 n1t2   each row in one piece
 * [T, N, 4] -> [T*N, 4] axis 0, outer T, inner 1    n0t0 n1t0 n0t1 n1t1 n0t2 n1t2   each row in T pieces
 * </pre>
 *
 * Operators that leave this axis alone need not know how it is composed. Only two values with the same composition
 * belong together. An output must have an outer of 1: the results of several runs are then simply joined.
 *
 * @param axis the axis
 * @param outer the product of the axes that were joined in front of the rows
 * @param inner the product of the axes that were joined behind the rows
 */
record RowAxis(int axis, Size outer, Size inner) {

    static RowAxis at(int axis) {
        return new RowAxis(axis, Size.ONE, Size.ONE);
    }

    RowAxis movedTo(int other) {
        return new RowAxis(other, outer, inner);
    }

    /** Returns the size of the axis, or nothing if it overflows. */
    Optional<Size> size() {
        return outer.times(Size.ROWS).flatMap(inner::times);
    }

    /**
     * Returns where the rows are after a reshape that keeps the order of the elements. Each element has an index
     * (before, row, after), where {@code before} counts all axes in front of the rows and those joined in front of
     * them, and {@code after} all those behind. A reshape regroups the digits of this index: the axes of the new shape
     * in front of its axis of rows must divide {@code before}, and the rest of it is then joined in front of the rows
     * there; likewise behind.
     *
     * @param from the dimensions before
     * @param to the dimensions after
     * @return nothing if the rows would be in several axes, or if sizes are unknown
     */
    Optional<RowAxis> reshaped(List<Size> from, List<Size> to) {
        Optional<Size> before = Size.product(from.subList(0, axis)).flatMap(outer::times);
        Optional<Size> after = Size.product(from.subList(axis + 1, from.size())).flatMap(inner::times);
        for (int other = 0; other < to.size(); other++) {
            if (to.get(other).isMultipleOfRows()) {
                Optional<Size> front = Size.product(to.subList(0, other)).flatMap(size -> divided(before, size));
                Optional<Size> back =
                        Size.product(to.subList(other + 1, to.size())).flatMap(size -> divided(after, size));
                if (front.isEmpty() || back.isEmpty()) {
                    return Optional.empty();
                }
                RowAxis moved = new RowAxis(other, front.get(), back.get());
                return moved.size().equals(Optional.of(to.get(other))) ? Optional.of(moved) : Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static Optional<Size> divided(Optional<Size> size, Size by) {
        return size.flatMap(s -> s.dividedBy(by));
    }
}
