package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The rules of operators that select, join, pad or reorder parts of values. */
final class SelectionRules {
    private static final long SLICE_HAS_INPUTS = 10;
    private static final long PADS_ARE_INPUTS = 11;
    private static final long SPLIT_IS_INPUT = 13;

    private SelectionRules() {}

    static List<TensorFacts> slice(Operation op) {
        op.expectNoRows("limits", 1, 2, 3, 4);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        boolean isByInputs = op.opset() >= SLICE_HAS_INPUTS;
        Optional<List<Size>> starts = limits(op, "starts", 1), ends = limits(op, "ends", 2);
        boolean hasAxes = isByInputs ? op.has(3) : op.node().integers("axes").isPresent();
        int count = starts.or(() -> ends).map(List::size).orElse(-1);
        Optional<long[]> axes =
                hasAxes ? op.integers("axes", 3, SLICE_HAS_INPUTS) : Optional.of(firstAxes(Math.max(0, count)));
        Optional<long[]> steps = isByInputs && op.has(4) ? op.numbers(4) : Optional.of(ones(Math.max(0, count)));
        List<Size> dims = new ArrayList<>(op.known(0));
        if (axes.isEmpty() || axes.get().length != count && starts.isPresent()) {
            if (op.hasRows()) {
                throw op.ended("cuts along axes that aren't constant");
            }
            return List.of(TensorFacts.of(op.unknowns(dims.size())));
        }
        Optional<List<Size>> elements = op.input(0).elements();
        for (int k = 0; k < axes.get().length; k++) {
            int axis = op.axis(axes.get()[k], dims.size()), at = k;
            Optional<Size> start = starts.map(s -> s.get(at)),
                    end = ends.filter(e -> at < e.size()).map(e -> e.get(at));
            OptionalLong step = steps.filter(s -> at < s.length)
                    .map(s -> OptionalLong.of(s[at]))
                    .orElse(OptionalLong.empty());
            Size size = dims.get(axis);
            if (isWhole(size, start, end, step)) {
                continue;
            }
            if (op.rows(0).isPresent() && op.rows(0).get().axis() == axis) {
                throw op.ended("selects some of the rows");
            }
            if (start.filter(Size::isOfRows).isPresent()
                    || end.filter(Size::isOfRows).isPresent()) {
                throw op.ended("cuts a value at the number of rows");
            }
            long[] indices = indices(size, start, end, step);
            dims.set(axis, indices == null ? op.unknown() : Size.of(indices.length));
            if (dims.size() == 1) {
                elements = indices == null
                        ? Optional.empty()
                        : elements.filter(all -> all.size() > 0)
                                .map(all -> Arrays.stream(indices)
                                        .mapToObj(index -> all.get((int) index))
                                        .toList());
            }
        }
        TensorFacts facts = TensorFacts.of(dims).withRows(op.rows(0));
        return List.of(dims.size() == 1 && elements.isPresent() ? facts.withElements(elements.get()) : facts);
    }

    private static Optional<List<Size>> limits(Operation op, String attribute, int k) {
        return op.opset() >= SLICE_HAS_INPUTS
                ? op.input(k).elements()
                : op.node()
                        .integers(attribute)
                        .map(l -> l.stream().map(Size::of).toList());
    }

    private static boolean isWhole(Size size, Optional<Size> start, Optional<Size> end, OptionalLong step) {
        boolean toEnd = end.filter(e -> e.equals(size) || e.fixed().orElse(0) >= Integer.MAX_VALUE)
                .isPresent();
        return step.orElse(0) == 1 && start.filter(s -> s.is(0)).isPresent() && toEnd;
    }

    /** Returns the selected indices of an axis, or null if they are unknown. */
    private static long[] indices(Size size, Optional<Size> start, Optional<Size> end, OptionalLong step) {
        boolean isKnown = size.fixed().isPresent()
                && start.filter(s -> s.fixed().isPresent()).isPresent()
                && end.filter(e -> e.fixed().isPresent()).isPresent()
                && step.orElse(0) != 0;
        if (!isKnown || size.factor() > Integer.MAX_VALUE) {
            return null;
        }
        long count = size.factor();
        // A larger step selects one element as well, and can't overflow.
        long by = Math.max(-count - 1, Math.min(step.getAsLong(), count + 1));
        long first = start.get().fixed().getAsLong(), last = end.get().fixed().getAsLong();
        // Unlike NumPy, ONNX begins at element 0 even if it goes backwards from a place in front of it.
        first = Math.max(0, first < 0 ? first + count : first);
        last = last < 0 ? last + count : last;
        if (by > 0) {
            first = Math.min(first, count);
            last = Math.max(0, Math.min(last, count));
        } else {
            first = Math.min(first, count - 1);
            last = Math.max(-1, Math.min(last, count - 1));
        }
        long length = by > 0 ? (last - first + by - 1) / by : (first - last - by - 1) / -by;
        long[] indices = new long[(int) Math.max(0, Math.min(length, count))];
        for (int k = 0; k < indices.length; k++) {
            indices[k] = first + k * by;
        }
        return indices;
    }

    private static long[] firstAxes(int count) {
        long[] axes = new long[count];
        for (int k = 0; k < count; k++) {
            axes[k] = k;
        }
        return axes;
    }

    private static long[] ones(int count) {
        long[] ones = new long[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    static List<TensorFacts> gather(Operation op) {
        if (op.dims(0).isEmpty() || op.dims(1).isEmpty()) {
            if (op.hasRows()) {
                throw op.lacking(op.dims(0).isEmpty() ? 0 : 1);
            }
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> data = op.known(0), indices = op.known(1), dims = new ArrayList<>();
        int axis = op.axis(op.node().integer("axis", 0), data.size());
        dims.addAll(data.subList(0, axis));
        dims.addAll(indices);
        dims.addAll(data.subList(axis + 1, data.size()));
        Optional<RowAxis> rows = op.rows(0), chosen = op.rows(1);
        if (rows.isPresent() && chosen.isPresent()) {
            throw op.ended("takes both its data and its indices from the rows");
        }
        if (rows.isPresent() && rows.get().axis() == axis) {
            throw op.ended("selects some of the rows");
        }
        Optional<RowAxis> moved = chosen.map(r -> r.movedTo(r.axis() + axis))
                .or(() -> rows.map(r -> r.axis() < axis ? r : r.movedTo(r.axis() - 1 + indices.size())));
        TensorFacts facts = TensorFacts.of(dims).withRows(moved);
        Optional<long[]> at = op.numbers(1);
        Optional<List<Size>> elements = op.input(0).elements();
        if (data.size() != 1 || at.isEmpty() || elements.isEmpty()) {
            return List.of(facts);
        }
        List<Size> selected = new ArrayList<>();
        for (long index : at.get()) {
            selected.add(elements.get().get(op.axis(index, elements.get().size())));
        }
        return List.of(facts.withElements(selected));
    }

    /** GatherElements: data and indices hold the same rows, along another axis than the one that is selected from. */
    static List<TensorFacts> gatherElements(Operation op) {
        for (int k = 0; k < 2; k++) {
            if (op.hasRows() && op.rows(k).isEmpty()) {
                throw op.lacking(k);
            }
        }
        if (op.dims(1).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        int axis = op.axis(op.node().integer("axis", 0), op.known(1).size());
        if (op.hasRows() && (!op.rows(0).equals(op.rows(1)) || op.rows(0).get().axis() == axis)) {
            throw op.ended("selects some of the rows");
        }
        return List.of(TensorFacts.of(op.known(1)).withRows(op.rows(1)));
    }

    static List<TensorFacts> concat(Operation op) {
        Optional<RowAxis> rows = Optional.empty();
        for (int k = 0; k < op.inputCount(); k++) {
            rows = rows.isPresent() ? rows : op.rows(k);
        }
        int rank = -1;
        for (int k = 0; k < op.inputCount(); k++) {
            if (op.dims(k).isEmpty()) {
                if (rows.isPresent()) {
                    throw op.lacking(k);
                }
                return List.of(TensorFacts.UNKNOWN);
            }
            rank = Math.max(rank, op.known(k).size());
        }
        int axis = op.axis(op.node().integer("axis", 1), rank);
        if (rows.isPresent() && rows.get().axis() == axis) {
            throw op.ended("joins values along the axis of the rows");
        }
        List<Size> dims = new ArrayList<>(op.known(0)), parts = new ArrayList<>();
        List<Size> elements = new ArrayList<>();
        boolean hasElements = rank == 1;
        for (int k = 0; k < op.inputCount(); k++) {
            if (op.known(k).size() != rank) {
                throw op.ended("joins values of different numbers of dimensions");
            }
            if (rows.isPresent() && !op.holds(k, rows)) {
                throw op.lacking(k);
            }
            for (int other = 0; other < rank; other++) {
                if (other != axis && dims.get(other).fixed().isEmpty()) {
                    dims.set(other, op.known(k).get(other));
                }
            }
            parts.add(op.known(k).get(axis));
            hasElements &= op.input(k).elements().isPresent();
            op.input(k).elements().ifPresent(elements::addAll);
        }
        dims.set(axis, sum(op, parts));
        rows.ifPresent(r -> dims.set(r.axis(), rowSize(op, r)));
        TensorFacts facts = TensorFacts.of(dims).withRows(rows);
        return List.of(hasElements ? facts.withElements(elements) : facts);
    }

    /** Returns the size of the rows' axis; with one row, other inputs may have a 1 there. */
    private static Size rowSize(Operation op, RowAxis rows) {
        for (int k = 0; k < op.inputCount(); k++) {
            if (op.rows(k).isPresent()) {
                return op.known(k).get(rows.axis());
            }
        }
        return Size.ROWS;
    }

    private static Size sum(Operation op, List<Size> parts) {
        long total = 0;
        for (Size part : parts) {
            if (part.fixed().isEmpty()) {
                return op.unknown(parts);
            }
            total += part.factor();
        }
        return Size.of(total);
    }

    static List<TensorFacts> split(Operation op) {
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = op.known(0);
        int axis = op.axis(op.node().integer("axis", 0), dims.size());
        if (op.rows(0).isPresent() && op.rows(0).get().axis() == axis) {
            throw op.ended("splits the rows");
        }
        op.expectNoRows("sizes", 1);
        int count = op.outputCount();
        Optional<List<Size>> sizes = op.opset() >= SPLIT_IS_INPUT
                ? op.input(1).elements()
                : op.node().integers("split").map(l -> l.stream().map(Size::of).toList());
        // In opset 1 there was an input, too.
        boolean isGiven = op.has(1) || op.node().integers("split").isPresent();
        List<TensorFacts> parts = new ArrayList<>();
        for (int k = 0; k < count; k++) {
            Size size;
            if (isGiven) {
                int at = k;
                size = sizes.filter(s -> at < s.size()).map(s -> s.get(at)).orElseGet(op::unknown);
            } else {
                boolean isEven =
                        dims.get(axis).fixed().isPresent() && dims.get(axis).factor() % count == 0;
                size = isEven ? Size.of(dims.get(axis).factor() / count) : op.unknown();
            }
            List<Size> part = new ArrayList<>(dims);
            part.set(axis, size);
            parts.add(TensorFacts.of(part).withRows(op.rows(0)));
        }
        return parts;
    }

    static List<TensorFacts> pad(Operation op) {
        op.expectNoRows("parameters", 1, 2, 3);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = new ArrayList<>(op.known(0));
        String attribute = op.opset() < 2 ? "paddings" : "pads";
        Optional<long[]> pads = op.integers(attribute, 1, PADS_ARE_INPUTS);
        Optional<long[]> axes = op.has(3) ? op.numbers(3) : Optional.of(firstAxes(dims.size()));
        if (pads.isEmpty() || axes.isEmpty() || pads.get().length != 2 * axes.get().length) {
            if (op.hasRows()) {
                throw op.ended("pads by sizes that aren't constant");
            }
            return List.of(TensorFacts.of(op.unknowns(dims.size())));
        }
        int count = axes.get().length;
        for (int k = 0; k < count; k++) {
            int axis = op.axis(axes.get()[k], dims.size());
            long front = pads.get()[k], back = pads.get()[k + count];
            if (front == 0 && back == 0) {
                continue;
            }
            if (op.rows(0).isPresent() && op.rows(0).get().axis() == axis) {
                throw op.ended("pads the rows");
            }
            dims.set(
                    axis,
                    dims.get(axis).fixed().isPresent()
                            ? Size.of(Math.max(0, dims.get(axis).factor() + front + back))
                            : op.unknown());
        }
        return List.of(TensorFacts.of(dims).withRows(op.rows(0)));
    }

    /** OneHot: each index becomes a vector, along a new axis. */
    static List<TensorFacts> oneHot(Operation op) {
        op.expectNoRows("depth or values", 1, 2);
        if (op.dims(0).isEmpty()) {
            return List.of(TensorFacts.UNKNOWN);
        }
        List<Size> dims = new ArrayList<>(op.known(0));
        int axis = op.axis(op.node().integer("axis", -1), dims.size() + 1);
        dims.add(axis, depth(op));
        Optional<RowAxis> rows = op.rows(0).map(r -> r.axis() < axis ? r : r.movedTo(r.axis() + 1));
        return List.of(TensorFacts.of(dims).withRows(rows));
    }

    private static Size depth(Operation op) {
        return op.input(1)
                .elements()
                .filter(e -> e.size() == 1)
                .map(e -> e.get(0))
                .orElseGet(op::unknown);
    }

    /** ReverseSequence: the rows are its batch. */
    static List<TensorFacts> reverseSequence(Operation op) {
        if (op.hasRows()) {
            for (int k = 0; k < 2; k++) {
                if (op.rows(k).isEmpty()) {
                    throw op.lacking(k);
                }
            }
            boolean isBatch = op.rows(0).get().axis() == op.node().integer("batch_axis", 1);
            if (!isBatch || !op.rows(0).get().movedTo(0).equals(op.rows(1).get())) {
                throw op.ended("reverses the order of the rows");
            }
        }
        return List.of(op.input(0).withoutElements());
    }

    /** Trilu: the matrices are the last two axes. */
    static List<TensorFacts> matrices(Operation op) {
        op.expectNoRows("parameters", 1);
        if (op.rows(0).isPresent() && op.rows(0).get().axis() >= op.known(0).size() - 2) {
            throw op.ended("treats the rows as rows or columns of one matrix");
        }
        return List.of(op.input(0).withoutElements());
    }

    /** SpaceToDepth and DepthToSpace: each image is a row. */
    static List<TensorFacts> images(Operation op) {
        if (op.rows(0).isPresent() && op.rows(0).get().axis() != 0) {
            throw op.ended("moves pixels across the axis of the rows");
        }
        return List.of(ProductRules.resized(op));
    }

    static List<TensorFacts> range(Operation op) {
        op.expectNoRows("limits", 0, 1, 2);
        for (int k = 0; k < 3; k++) {
            if (op.input(k).countsRows()) {
                throw op.ended("numbers the rows");
            }
        }
        Optional<long[]> start = op.numbers(0), limit = op.numbers(1), step = op.numbers(2);
        boolean areNumbers = List.of(start, limit, step).stream()
                .allMatch(n -> n.filter(all -> all.length == 1).isPresent());
        if (areNumbers && step.get()[0] != 0) {
            long by = step.get()[0], length = (limit.get()[0] - start.get()[0] + by - Long.signum(by)) / by;
            length = Math.max(0, length);
            List<Size> elements = new ArrayList<>();
            for (long k = 0; k < Math.min(length, TensorFacts.MOST_ELEMENTS + 1); k++) {
                elements.add(Size.of(start.get()[0] + k * by));
            }
            return List.of(TensorFacts.of(List.of(Size.of(length))).withElements(elements));
        }
        return List.of(TensorFacts.of(Collections.singletonList(op.unknown())));
    }
}
