package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The rules of operators that change the shape of a value, or the place of its axes, but not its elements. */
final class ShapeRules {
    private static final long AXES_ARE_INPUTS = 13;

    private ShapeRules() {}

    static List<TensorFacts> transpose(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> from = op.known(0);
        int rank = from.size();
        List<Long> permutation = op.node().integers("perm").orElse(List.of());
        if (!permutation.isEmpty() && permutation.size() != rank) {
            throw op.ended("permutes a wrong number of axes");
        }
        List<Size> to = new ArrayList<>();
        Optional<RowAxis> rows = Optional.empty();
        for (int axis = 0; axis < rank; axis++) {
            int before = permutation.isEmpty() ? rank - 1 - axis : op.axis(permutation.get(axis), rank);
            to.add(from.get(before));
            if (op.rows(0).isPresent() && op.rows(0).get().axis() == before) {
                rows = Optional.of(op.rows(0).get().movedTo(axis));
            }
        }
        TensorFacts facts = TensorFacts.of(to).withRows(rows);
        // The elements of a vector, or of a single number, stay in their order.
        return List.of(
                rank > 1
                        ? facts
                        : op.input(0).elements().map(facts::withElements).orElse(facts));
    }

    static List<TensorFacts> squeeze(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> from = op.known(0);
        Optional<long[]> axes = op.integers("axes", 1, AXES_ARE_INPUTS);
        boolean isGiven = op.opset() >= AXES_ARE_INPUTS
                ? op.has(1)
                : op.node().integers("axes").isPresent();
        // For ONNX Runtime, no axes are all axes.
        isGiven &= axes.isEmpty() || axes.get().length > 0;
        List<Integer> removed = new ArrayList<>();
        if (isGiven) {
            if (axes.isEmpty()) {
                return unfollowed(op, "removes axes that aren't constant");
            }
            for (long axis : axes.get()) {
                removed.add(op.axis(axis, from.size()));
            }
        } else {
            for (int axis = 0; axis < from.size(); axis++) {
                if (from.get(axis).fixed().isEmpty()) {
                    return unfollowed(op, "removes every axis that happens to have size 1");
                }
                if (from.get(axis).is(1)) {
                    removed.add(axis);
                }
            }
        }
        List<Size> to = new ArrayList<>();
        Optional<RowAxis> rows = Optional.empty();
        for (int axis = 0; axis < from.size(); axis++) {
            boolean isRows = op.rows(0).isPresent() && op.rows(0).get().axis() == axis;
            if (!removed.contains(axis)) {
                rows = isRows ? Optional.of(op.rows(0).get().movedTo(to.size())) : rows;
                to.add(from.get(axis));
            } else if (isRows) {
                throw op.ended("removes the axis of the rows");
            }
        }
        return sameElements(op, to, rows);
    }

    private static List<TensorFacts> unfollowed(Operation op, String what) {
        if (op.hasRows()) {
            throw op.ended(what);
        }
        return List.of(TensorFacts.UNKNOWN);
    }

    private static List<TensorFacts> sameElements(Operation op, List<Size> dims, Optional<RowAxis> rows) {
        TensorFacts facts = TensorFacts.of(dims).withRows(rows);
        return List.of(op.input(0).elements().map(facts::withElements).orElse(facts));
    }

    static List<TensorFacts> unsqueeze(Operation op) {
        Optional<long[]> axes = op.integers("axes", 1, AXES_ARE_INPUTS);
        if (op.dims(0).isEmpty() || axes.isEmpty()) {
            return unfollowed(op, "inserts axes that aren't constant");
        }
        List<Size> from = op.known(0);
        int rank = from.size() + axes.get().length;
        List<Integer> inserted = new ArrayList<>();
        for (long axis : axes.get()) {
            inserted.add(op.axis(axis, rank));
        }
        List<Size> to = new ArrayList<>();
        Optional<RowAxis> rows = Optional.empty();
        int next = 0;
        for (int axis = 0; axis < rank; axis++) {
            if (inserted.contains(axis)) {
                to.add(Size.ONE);
            } else if (next < from.size()) {
                rows = op.rows(0).isPresent() && op.rows(0).get().axis() == next
                        ? Optional.of(op.rows(0).get().movedTo(axis))
                        : rows;
                to.add(from.get(next++));
            }
        }
        return sameElements(op, to, rows);
    }

    static List<TensorFacts> reshape(Operation op) {
        Optional<List<Size>> target = op.opset() < 5
                ? op.node().integers("shape").map(l -> l.stream().map(Size::of).toList())
                : op.input(1).elements();
        if (target.isEmpty()) {
            Optional<List<Size>> rank = op.dims(1).filter(d -> d.size() == 1);
            if (op.hasRows()) {
                throw op.ended("has a target shape that isn't known before a run");
            }
            return List.of(rank.filter(d -> d.get(0).fixed().orElse(99) < 9)
                    .map(d -> TensorFacts.of(op.unknowns((int) d.get(0).factor())))
                    .orElse(TensorFacts.UNKNOWN));
        }
        boolean zeroIsSize = op.node().integer("allowzero", 0) != 0;
        return reshaped(op, target.get(), zeroIsSize);
    }

    private static List<TensorFacts> reshaped(Operation op, List<Size> target, boolean zeroIsSize) {
        Optional<List<Size>> from = op.dims(0);
        List<Size> to = new ArrayList<>();
        int inferred = -1;
        for (int axis = 0; axis < target.size(); axis++) {
            Size size = target.get(axis);
            if (size.is(0) && !zeroIsSize) {
                to.add(
                        from.isEmpty()
                                ? op.unknown()
                                : op.known(0).get(op.axis(axis, op.known(0).size())));
            } else if (size.is(-1) && inferred < 0) {
                inferred = axis;
                to.add(Size.ONE);
            } else if (size.isNatural()) {
                to.add(size);
            } else {
                to.add(op.unknown(List.of(size)));
            }
        }
        if (inferred >= 0) {
            List<Size> all = from.orElse(List.of());
            Optional<Size> total = from.flatMap(Size::product), others = Size.product(to);
            Optional<Size> rest = total.flatMap(t -> others.flatMap(t::dividedBy));
            List<Size> related = new ArrayList<>(all);
            related.addAll(to);
            to.set(inferred, rest.orElseGet(() -> op.unknown(related)));
        }
        return List.of(moved(op, to));
    }

    /** Returns the facts of input 0 with other dimensions and the elements in the same order. */
    private static TensorFacts moved(Operation op, List<Size> to) {
        Optional<RowAxis> rows = op.rows(0).flatMap(axis -> axis.reshaped(op.known(0), to));
        if (op.rows(0).isPresent() && rows.isEmpty() && op.rowCount().isOne()) {
            rows = onlyRow(op, to);
        }
        if (op.rows(0).isPresent() && rows.isEmpty()) {
            throw op.ended("moves the rows to a place that can't be followed");
        }
        TensorFacts facts = TensorFacts.of(to).withRows(rows);
        return op.input(0).elements().map(facts::withElements).orElse(facts);
    }

    /**
     * Finds the only row of a run in a shape that has a literal 1 for it, and writes the number of rows there. With
     * only one row, a wrong place among several 1s would still put the right numbers together, only along another axis.
     */
    private static Optional<RowAxis> onlyRow(Operation op, List<Size> to) {
        List<Integer> places = new ArrayList<>();
        places.add(op.rows(0).get().axis());
        for (int axis = 0; axis < to.size(); axis++) {
            places.add(axis);
        }
        for (int axis : places) {
            if (axis < to.size() && to.get(axis).is(1)) {
                List<Size> shape = new ArrayList<>(to);
                shape.set(axis, Size.ROWS);
                Optional<RowAxis> rows = op.rows(0).get().reshaped(op.known(0), shape);
                if (rows.isPresent()) {
                    to.set(axis, Size.ROWS);
                    return rows;
                }
            }
        }
        // All elements are those of the only row, so each axis of size 1 can hold it: the first one, as batches do.
        int first = to.indexOf(Size.ONE);
        if (first >= 0) {
            to.set(first, Size.ROWS);
            return Optional.of(RowAxis.at(first));
        }
        return Optional.empty();
    }

    static List<TensorFacts> flatten(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.of(op.unknowns(2)));
        }
        List<Size> from = op.known(0);
        long axis = op.node().integer("axis", 1);
        int at = axis == from.size() ? from.size() : op.axis(axis, Math.max(1, from.size()));
        List<Size> to = new ArrayList<>();
        to.add(Size.product(from.subList(0, at)).orElseGet(() -> op.unknown(from)));
        to.add(Size.product(from.subList(at, from.size())).orElseGet(() -> op.unknown(from)));
        return List.of(moved(op, to).withoutElements());
    }

    /** Expand: an axis of size 1 takes the size of the target, any other one stays as it is. */
    static List<TensorFacts> expand(Operation op) {
        Optional<List<Size>> target = op.input(1).elements();
        if (op.dims(0).isEmpty() || target.isEmpty()) {
            return unfollowed(op, "expands a value to a shape that isn't known before a run");
        }
        List<Size> from = op.known(0), to = new ArrayList<>();
        int rank = Math.max(from.size(), target.get().size());
        for (int axis = 0; axis < rank; axis++) {
            int own = axis - rank + from.size(),
                    other = axis - rank + target.get().size();
            Size a = own >= 0 ? from.get(own) : Size.ONE;
            Size b = other >= 0 ? target.get().get(other) : Size.ONE;
            Size b0 = b.isNatural() ? b : op.unknown(List.of(b));
            // [T] expanded to [N] may be valid because T is 1 at run time, or N, or both are the same.
            if (a.isOfRows() != b0.isOfRows() && !a.is(1) && !b0.is(1)) {
                throw op.ended("expands a value to the number of rows");
            }
            to.add(a.is(1) ? b0 : b0.is(1) || a.equals(b0) || a.fixed().isPresent() ? a : op.unknown(List.of(a, b0)));
        }
        Optional<RowAxis> rows = op.rows(0).map(r -> r.movedTo(r.axis() + rank - from.size()));
        if (rows.isPresent()
                && !to.get(rows.get().axis()).equals(from.get(op.rows(0).get().axis()))) {
            throw op.ended("expands the axis of the rows");
        }
        TensorFacts facts = TensorFacts.of(to).withRows(rows);
        return List.of(rows.isPresent() ? facts : repeated(facts));
    }

    /**
     * Adds the rows of a value that is the same for each row, if its shape has an axis of rows: zeros of shape [N, 4]
     * are N rows of zeros. All that is along this axis is the same, so any way in which it may be composed will do.
     */
    private static TensorFacts repeated(TensorFacts facts) {
        List<Size> dims = facts.dims().get();
        for (int axis = 0; axis < dims.size(); axis++) {
            if (dims.get(axis).isMultipleOfRows()) {
                Size inner = dims.get(axis).dividedBy(Size.ROWS).orElseThrow();
                return facts.withRows(Optional.of(new RowAxis(axis, Size.ONE, inner)));
            }
        }
        return facts;
    }

    /** ConstantOfShape: the same number in each row. */
    static List<TensorFacts> constantOfShape(Operation op) {
        Optional<List<Size>> target = op.input(0).elements();
        if (target.isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = target.get().stream()
                .map(size -> size.isNatural() ? size : op.unknown(List.of(size)))
                .toList();
        TensorFacts facts = repeated(TensorFacts.of(dims));
        boolean isShort = dims.size() == 1 && dims.get(0).fixed().orElse(Long.MAX_VALUE) <= TensorFacts.MOST_ELEMENTS;
        Optional<Size> value = ConstantFacts.single(op.node(), op.tensors());
        return List.of(
                isShort && value.isPresent()
                        ? facts.withElements(
                                Collections.nCopies((int) dims.get(0).factor(), value.get()))
                        : facts);
    }

    static List<TensorFacts> tile(Operation op) {
        Optional<List<Size>> repeats = op.input(1).elements();
        if (op.dims(0).isEmpty()
                || repeats.isEmpty()
                || repeats.get().size() != op.known(0).size()) {
            return unfollowed(op, "repeats a value a number of times that isn't known before a run");
        }
        List<Size> from = op.known(0), to = new ArrayList<>();
        for (int axis = 0; axis < from.size(); axis++) {
            Size times = repeats.get().get(axis);
            Size size = from.get(axis);
            to.add(size.times(times).filter(Size::isNatural).orElseGet(() -> op.unknown(List.of(size, times))));
            boolean isRows = op.rows(0).isPresent() && op.rows(0).get().axis() == axis;
            if (isRows && !times.is(1)) {
                throw op.ended("repeats the rows");
            }
            if (times.isOfRows() && !size.is(1)) {
                throw op.ended("repeats a value as often as there are rows");
            }
        }
        TensorFacts facts = TensorFacts.of(to).withRows(op.rows(0));
        return List.of(op.hasRows() ? facts : repeated(facts));
    }

    static List<TensorFacts> shape(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> all = op.known(0);
        return List.of(TensorFacts.vector(
                part(all, op.node().integer("start", 0), op.node().integer("end", Long.MAX_VALUE))));
    }

    /** Returns a slice by the rules of Slice: negative indices count from the end, and all are limited to the list. */
    static List<Size> part(List<Size> all, long start, long end) {
        int size = all.size();
        long from = Math.max(0, Math.min(start < 0 ? start + size : start, size));
        long to = Math.max(from, Math.min(end < 0 ? end + size : end, size));
        return all.subList((int) from, (int) to);
    }

    static List<TensorFacts> size(Operation op) {
        Optional<Size> product = op.dims(0).flatMap(Size::product);
        return List.of(product.map(TensorFacts::scalar).orElse(TensorFacts.of(List.of())));
    }
}
