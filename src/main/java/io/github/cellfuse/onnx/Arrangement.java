package io.github.cellfuse.onnx;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * How the axes of an LSTM's Y, or of its X, lie in the dimensions of a value that holds the same elements: each dimension is a product
 * of axes, the outermost first; of none where its size is 1.
 *
 * @param owner the number of the LSTM whose Y it is, or -1 for an X
 * @param isExact whether the elements are those of Y to the bit; false after a change of type
 */
record Arrangement(List<List<Axis>> dimensions, int owner, boolean isExact) {
    /** What an axis runs over. */
    enum Kind {
        TIME,
        BATCH,
        DIRECTION,
        HIDDEN,
        FEATURE
    }

    /** An axis; two are the same when they are equal. */
    record Axis(Kind kind, AxisSize size) {}

    /** Dimensions of one axis each; an axis whose size is 1 is left out. */
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

    /** Returns the size of each dimension; empty where one is beyond counting. */
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

    /** By a permutation of the dimensions, or backwards where none is given. */
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

    /** Returns what a transposition by {@code permutation} makes into this. */
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

    /** Without the dimensions {@code axes}, whose sizes must be known to be 1. */
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

    /** With dimensions of size 1 that shall be {@code axes} of the result. */
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

    /** Two dimensions: those before {@code axis}, and the rest. */
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
     * With dimensions of other sizes, where no axis is cut.
     *
     * @param target one may be -1: what is left; 0 is the size that the dimension had, unless {@code zeroIsZero}
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
