package io.github.cellfuse.onnx.shape;

import java.util.List;
import java.util.Optional;

/**
 * The axis along which a value holds the rows. Its size is {@code outer * rows * inner}, in this order: a reshape may
 * have joined the rows with other axes.
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
     * Returns where the rows are after a reshape that keeps the order of the elements.
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
