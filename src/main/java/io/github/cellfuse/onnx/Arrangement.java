package io.github.cellfuse.onnx;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The arrangement of an LSTM's Y or X in the dimensions of a value with the same elements. Each dimension is a product
 * of axes.
 *
 * @param dimensions for each dimension, its axes, outermost first; a dimension of size 1 has none
 * @param owner the number of the LSTM whose Y it is, or -1 for an X
 * @param isExact whether the elements have the same bits as Y; false after a change of type
 */
record Arrangement(List<List<Axis>> dimensions, int owner, boolean isExact) {
    /** The meaning of an axis. */
    enum Kind {
        TIME,
        BATCH,
        DIRECTION,
        HIDDEN,
        FEATURE
    }

    /** An axis. Equal axes are the same axis. */
    record Axis(Kind kind, AxisSize size) {}

    /** Returns an arrangement with one dimension for each axis. An axis of size 1 becomes a dimension without axes. */
    static Arrangement of(int owner, Axis... axes) {
        List<List<Axis>> dimensions = new ArrayList<>();
        for (Axis axis : axes) {
            dimensions.add(axis.size().equals(AxisSize.ONE) ? List.of() : List.of(axis));
        }
        return new Arrangement(dimensions, owner, true);
    }

    int rank() {
        return dimensions.size();
    }

    Arrangement inexact() {
        return new Arrangement(dimensions, owner, false);
    }

    private Arrangement with(List<List<Axis>> changed) {
        return new Arrangement(changed, owner, isExact);
    }

    /** Returns the size of each dimension, or nothing if one overflows. */
    Optional<List<AxisSize>> sizes() {
        List<AxisSize> sizes = new ArrayList<>();
        for (List<Axis> dimension : dimensions) {
            Optional<AxisSize> size = size(dimension);
            if (size.isEmpty()) {
                return Optional.empty();
            }
            sizes.add(size.get());
        }
        return Optional.of(sizes);
    }

    private static Optional<AxisSize> size(List<Axis> axes) {
        Optional<AxisSize> size = Optional.of(AxisSize.ONE);
        for (Axis axis : axes) {
            size = size.flatMap(s -> s.times(axis.size()));
        }
        return size;
    }

    private List<Axis> flat() {
        return dimensions.stream().flatMap(List::stream).toList();
    }

    /** Returns the arrangement with permuted dimensions; without a permutation, they are reversed. */
    Optional<Arrangement> transposed(Optional<List<Long>> permutation) {
        if (permutation.isEmpty()) {
            List<List<Axis>> reversed = new ArrayList<>(dimensions);
            Collections.reverse(reversed);
            return Optional.of(with(reversed));
        }
        List<Long> perm = permutation.get();
        if (perm.size() != rank() || !new TreeSet<>(perm).equals(indices())) {
            return Optional.empty();
        }
        return Optional.of(
                with(perm.stream().map(k -> dimensions.get(k.intValue())).toList()));
    }

    /** Returns the arrangement that a Transpose by {@code permutation} turns into this one. */
    Optional<Arrangement> untransposed(Optional<List<Long>> permutation) {
        if (permutation.isEmpty()) {
            return transposed(permutation);
        }
        List<Long> perm = permutation.get();
        if (perm.size() != rank() || !new TreeSet<>(perm).equals(indices())) {
            return Optional.empty();
        }
        List<Long> inverse = new ArrayList<>(perm);
        for (int k = 0; k < perm.size(); k++) {
            inverse.set(perm.get(k).intValue(), (long) k);
        }
        return transposed(Optional.of(inverse));
    }

    private TreeSet<Long> indices() {
        TreeSet<Long> indices = new TreeSet<>();
        for (long k = 0; k < rank(); k++) {
            indices.add(k);
        }
        return indices;
    }

    /** Returns the arrangement without the dimensions {@code axes}, or nothing unless their sizes are known to be 1. */
    Optional<Arrangement> squeezed(long[] axes) {
        List<List<Axis>> left = new ArrayList<>(dimensions);
        for (long axis : axes) {
            long index = axis < 0 ? axis + rank() : axis;
            if (index < 0 || index >= rank() || !dimensions.get((int) index).isEmpty()) {
                return Optional.empty();
            }
            left.set((int) index, null);
        }
        left.removeIf(dimension -> dimension == null);
        return Optional.of(with(left));
    }

    /**
     * Returns the arrangement with new dimensions of size 1, which become the dimensions {@code axes} of the result.
     */
    Optional<Arrangement> unsqueezed(long[] axes) {
        int rank = rank() + axes.length;
        TreeSet<Long> indices = new TreeSet<>();
        for (long axis : axes) {
            long index = axis < 0 ? axis + rank : axis;
            if (index < 0 || index >= rank || !indices.add(index)) {
                return Optional.empty();
            }
        }
        List<List<Axis>> all = new ArrayList<>(dimensions);
        for (long index : indices) {
            all.add((int) index, List.of());
        }
        return Optional.of(with(all));
    }

    /**
     * Returns the arrangement in two dimensions: the product of those before {@code axis}, and the product of the
     * others.
     */
    Optional<Arrangement> flattened(long axis) {
        long index = axis < 0 ? axis + rank() : axis;
        if (index < 0 || index > rank()) {
            return Optional.empty();
        }
        List<List<Axis>> both = new ArrayList<>();
        both.add(dimensions.subList(0, (int) index).stream()
                .flatMap(List::stream)
                .toList());
        both.add(dimensions.subList((int) index, rank()).stream()
                .flatMap(List::stream)
                .toList());
        return Optional.of(with(both));
    }

    /**
     * Returns the arrangement with dimensions of other sizes, or nothing if an axis would be split.
     *
     * @param target the new sizes. One may be -1, which is inferred; 0 keeps the dimension's size, unless
     *     {@code zeroIsZero}
     */
    Optional<Arrangement> reshaped(List<AxisSize> target, boolean zeroIsZero) {
        Optional<List<AxisSize>> wanted = resolved(target, zeroIsZero);
        if (wanted.isEmpty()) {
            return Optional.empty();
        }
        List<Axis> axes = flat();
        List<List<Axis>> result = new ArrayList<>();
        int next = 0;
        for (AxisSize size : wanted.get()) {
            List<Axis> dimension = new ArrayList<>();
            AxisSize left = size;
            while (!left.equals(AxisSize.ONE)) {
                Optional<AxisSize> rest = next == axes.size()
                        ? Optional.empty()
                        : left.dividedBy(axes.get(next).size());
                if (rest.isEmpty()) {
                    return Optional.empty();
                }
                left = rest.get();
                dimension.add(axes.get(next++));
            }
            result.add(dimension);
        }
        return next == axes.size() ? Optional.of(with(result)) : Optional.empty();
    }

    private Optional<List<AxisSize>> resolved(List<AxisSize> target, boolean zeroIsZero) {
        Optional<List<AxisSize>> own = sizes();
        Optional<AxisSize> left = size(flat());
        List<AxisSize> sizes = new ArrayList<>();
        int open = -1;
        for (int k = 0; k < target.size(); k++) {
            AxisSize size = target.get(k);
            if (size.factor() == 0) {
                if (zeroIsZero || own.isEmpty() || k >= rank()) {
                    return Optional.empty();
                }
                size = own.get().get(k);
            } else if (size.factor() < 0) {
                if (size.factor() != -1 || open >= 0) {
                    return Optional.empty();
                }
                open = k;
                sizes.add(null);
                continue;
            }
            AxisSize taken = size;
            left = left.flatMap(l -> l.dividedBy(taken));
            sizes.add(size);
        }
        if (left.isEmpty()) {
            return Optional.empty();
        }
        if (open >= 0) {
            sizes.set(open, left.get());
        }
        return Optional.of(sizes);
    }
}
