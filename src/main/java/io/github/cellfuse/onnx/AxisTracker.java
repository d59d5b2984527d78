package io.github.cellfuse.onnx;

import io.github.cellfuse.Layout;
import io.github.cellfuse.onnx.Arrangement.Axis;
import io.github.cellfuse.onnx.Arrangement.Kind;
import io.github.cellfuse.onnx.AxisSize.Symbol;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Follows the axes of the LSTMs' inputs and outputs through nodes that only move axes, and evaluates the sizes that
 * exporters compute from shapes for them. A value that can't be followed has no known arrangement.
 */
final class AxisTracker {
    /** The longest path of nodes to follow; exporters need only a few nodes between two LSTMs. */
    private static final int DEEPEST = 64;

    private final GraphIndex graph;
    private final long opset;
    private final Constants constants;
    private final OnnxTensors tensors;
    private final Map<String, Arrangement> known = new HashMap<>();
    /** The results of one search. They aren't reused, because {@link #known} may grow before the next search. */
    private final Map<String, Optional<Arrangement>> arrangements = new HashMap<>();

    private final Map<String, Optional<List<AxisSize>>> shapes = new HashMap<>();

    /** The element type of each LSTM's Y, by the LSTM's number. */
    private final Map<Integer, Integer> types = new HashMap<>();

    AxisTracker(GraphIndex graph, long opset, Constants constants, OnnxTensors tensors) {
        this.graph = graph;
        this.opset = opset;
        this.constants = constants;
        this.tensors = tensors;
    }

    /**
     * Returns the arrangement that {@code node} needs its X in to follow LSTM {@code owner} of chain {@code chain},
     * which has {@code directions} directions of {@code hidden} units.
     */
    static Arrangement input(LstmNode node, int chain, int owner, int directions, int hidden) {
        Arrangement parts = outer(node.layout(), chain, owner);
        List<List<Axis>> dimensions = new ArrayList<>(parts.dimensions());
        List<Axis> features = new ArrayList<>();
        Arrangement.of(owner, direction(directions), hidden(hidden))
                .dimensions()
                .forEach(features::addAll);
        dimensions.add(features);
        return new Arrangement(dimensions, owner, true);
    }

    private static Arrangement outer(Layout layout, int chain, int owner) {
        return layout == Layout.TIME_MAJOR
                ? Arrangement.of(owner, time(chain), batch(chain))
                : Arrangement.of(owner, batch(chain), time(chain));
    }

    private static Axis time(int chain) {
        return new Axis(Kind.TIME, AxisSize.of(new Symbol(chain, true)));
    }

    private static Axis batch(int chain) {
        return new Axis(Kind.BATCH, AxisSize.of(new Symbol(chain, false)));
    }

    private static Axis direction(int count) {
        return new Axis(Kind.DIRECTION, AxisSize.of(count));
    }

    private static Axis hidden(int size) {
        return new Axis(Kind.HIDDEN, AxisSize.of(size));
    }

    /** Returns the arrangement of {@code name}, or nothing if it can't be followed. */
    Optional<Arrangement> find(String name) {
        arrangements.clear();
        shapes.clear();
        return arrangement(name, 0);
    }

    /**
     * Declares that the X of {@code node} has the time and batch of chain {@code chain}. The values that X was
     * transposed from then have them as well.
     */
    void defineInput(LstmNode node, int chain) {
        List<List<Axis>> dimensions =
                new ArrayList<>(outer(node.layout(), chain, -1).dimensions());
        int features = node.layer().inputSize();
        dimensions.add(features == 1 ? List.of() : List.of(new Axis(Kind.FEATURE, AxisSize.of(features))));
        Optional<Arrangement> at = Optional.of(new Arrangement(dimensions, -1, false));
        String name = node.x();
        for (int depth = 0; depth < DEEPEST && at.isPresent(); depth++) {
            known.put(name, at.get());
            Optional<OnnxNode> producer = graph.producer(name);
            if (producer.isEmpty() || producer.get().input(0).isEmpty()) {
                return;
            }
            OnnxNode before = producer.get();
            if (before.is("Transpose")) {
                at = at.flatMap(a -> a.untransposed(before.integers("perm")));
            } else if (!before.is("Identity") && !before.is("Cast")) {
                return;
            }
            name = before.input(0).get();
        }
    }

    /**
     * Declares that the Y of {@code node}, LSTM number {@code owner}, has the time and batch of chain {@code chain}.
     */
    void defineOutput(LstmNode node, int chain, int owner) {
        types.put(owner, node.elementType());
        Axis t = time(chain), n = batch(chain);
        Axis d = direction(node.layer().directionCount()),
                h = hidden(node.layer().hiddenSize());
        node.y()
                .ifPresent(y -> known.put(
                        y,
                        node.layout() == Layout.TIME_MAJOR
                                ? Arrangement.of(owner, t, d, n, h)
                                : Arrangement.of(owner, n, t, d, h)));
    }

    private Optional<Arrangement> arrangement(String name, int depth) {
        Arrangement defined = known.get(name);
        if (defined != null) {
            return Optional.of(defined);
        }
        Optional<Arrangement> found = arrangements.get(name);
        if (found == null) {
            found = depth > DEEPEST
                    ? Optional.empty()
                    : graph.producer(name).flatMap(node -> moved(node, name, depth + 1));
            arrangements.put(name, found);
        }
        return found;
    }

    /** Returns the arrangement of a node's output, if the node only moves axes. */
    private Optional<Arrangement> moved(OnnxNode node, String output, int depth) {
        if (!Plumbing.isPlumbing(node) || !node.output(0).equals(Optional.of(output))) {
            return Optional.empty();
        }
        Optional<Arrangement> input = node.input(0).flatMap(name -> arrangement(name, depth));
        if (input.isEmpty()) {
            return input;
        }
        Arrangement from = input.get();
        return switch (node.proto().getOpType()) {
            case "Identity" -> input;
            case "Dropout" -> Plumbing.isInference(node, opset, constants, tensors) ? input : Optional.empty();
            case "Cast" -> Optional.of(keepsType(node, from) ? from : from.inexact());
            case "Transpose" -> from.transposed(node.integers("perm"));
            case "Squeeze" -> Plumbing.axes(node, constants, tensors).flatMap(from::squeezed);
            case "Unsqueeze" -> Plumbing.axes(node, constants, tensors).flatMap(from::unsqueezed);
            case "Flatten" -> from.flattened(node.integer("axis", 1));
            case "Reshape" ->
                target(node, depth).flatMap(target -> from.reshaped(target, node.integer("allowzero", 0) != 0));
            default -> Optional.empty();
        };
    }

    private boolean keepsType(OnnxNode node, Arrangement from) {
        return opset >= 6 && types.getOrDefault(from.owner(), 0) == node.integer("to", 0);
    }

    private Optional<List<AxisSize>> target(OnnxNode node, int depth) {
        if (opset < 5) {
            return node.integers("shape")
                    .map(shape -> shape.stream().map(AxisSize::of).toList());
        }
        return node.input(1).flatMap(name -> shape(name, depth));
    }

    /** Returns the sizes in a vector or scalar, if they can be followed. */
    private Optional<List<AxisSize>> shape(String name, int depth) {
        Optional<List<AxisSize>> found = shapes.get(name);
        if (found == null) {
            Optional<TensorProto> constant = constants.find(name);
            found = depth > DEEPEST
                    ? Optional.empty()
                    : constant.isPresent()
                            ? constant.flatMap(this::sizes)
                            : graph.producer(name).flatMap(node -> shape(node, depth + 1));
            shapes.put(name, found);
        }
        return found;
    }

    private Optional<List<AxisSize>> sizes(TensorProto constant) {
        return isShort(constant) ? Plumbing.wholeNumbers(constant, tensors).map(AxisTracker::sizes) : Optional.empty();
    }

    /** Returns whether a constant may be a shape or indices in one. A long one would be read once for each LSTM. */
    private static boolean isShort(TensorProto constant) {
        return constant.getDimsCount() == 0 || constant.getDimsCount() == 1 && constant.getDims(0) <= DEEPEST;
    }

    private static List<AxisSize> sizes(long[] values) {
        List<AxisSize> sizes = new ArrayList<>();
        for (long value : values) {
            sizes.add(AxisSize.of(value));
        }
        return sizes;
    }

    private Optional<List<AxisSize>> shape(OnnxNode node, int depth) {
        if (node.is("Shape")) {
            Optional<List<AxisSize>> all =
                    node.input(0).flatMap(name -> arrangement(name, depth)).flatMap(Arrangement::sizes);
            return all.flatMap(sizes -> part(sizes, node.integer("start", 0), node.integer("end", Long.MAX_VALUE)));
        }
        if (node.is("Concat")) {
            List<AxisSize> all = new ArrayList<>();
            if (node.proto().getInputCount() > DEEPEST) {
                return Optional.empty();
            }
            for (String input : node.proto().getInputList()) {
                Optional<List<AxisSize>> part = shape(input, depth);
                if (part.isEmpty() || all.size() + part.get().size() > DEEPEST) {
                    return Optional.empty();
                }
                all.addAll(part.get());
            }
            return Optional.of(all);
        }
        boolean isSame = node.is("Identity") || node.is("Cast") || node.is("Unsqueeze") || node.is("Squeeze");
        Optional<List<AxisSize>> data = isSame || node.is("Gather") || node.is("Slice") || node.is("Mul")
                ? node.input(0).flatMap(name -> shape(name, depth))
                : Optional.empty();
        if (isSame || data.isEmpty()) {
            return data;
        }
        List<AxisSize> sizes = data.get();
        return switch (node.proto().getOpType()) {
            case "Gather" -> constant(node, 1).flatMap(indices -> gathered(sizes, indices));
            case "Slice" -> sliced(node, sizes);
            default -> node.input(1).flatMap(name -> shape(name, depth)).flatMap(other -> product(sizes, other));
        };
    }

    private Optional<long[]> constant(OnnxNode node, int input) {
        return node.input(input)
                .flatMap(constants::find)
                .filter(AxisTracker::isShort)
                .flatMap(tensor -> Plumbing.integers(tensor, tensors));
    }

    private static Optional<List<AxisSize>> gathered(List<AxisSize> sizes, long[] indices) {
        List<AxisSize> result = new ArrayList<>();
        for (long k : indices) {
            long index = k < 0 ? k + sizes.size() : k;
            if (index < 0 || index >= sizes.size() || result.size() > DEEPEST) {
                return Optional.empty();
            }
            result.add(sizes.get((int) index));
        }
        return Optional.of(result);
    }

    private Optional<List<AxisSize>> sliced(OnnxNode node, List<AxisSize> sizes) {
        Optional<long[]> starts = opset < 10 ? Plumbing.array(node.integers("starts")) : constant(node, 1);
        Optional<long[]> ends = opset < 10 ? Plumbing.array(node.integers("ends")) : constant(node, 2);
        boolean isPlain = node.input(4).isEmpty()
                || constant(node, 4).filter(s -> s.length == 1 && s[0] == 1).isPresent();
        boolean isSingle = starts.filter(s -> s.length == 1).isPresent()
                && ends.filter(e -> e.length == 1).isPresent();
        return isPlain && isSingle ? part(sizes, starts.get()[0], ends.get()[0]) : Optional.empty();
    }

    /** Returns a slice by the rules of Slice: negative indices count from the end, and all are limited to the list. */
    private static Optional<List<AxisSize>> part(List<AxisSize> sizes, long start, long end) {
        long from = Math.max(0, Math.min(start < 0 ? start + sizes.size() : start, sizes.size()));
        long to = Math.max(from, Math.min(end < 0 ? end + sizes.size() : end, sizes.size()));
        return Optional.of(sizes.subList((int) from, (int) to));
    }

    private static Optional<List<AxisSize>> product(List<AxisSize> a, List<AxisSize> b) {
        if (a.size() != b.size()) {
            return Optional.empty();
        }
        List<AxisSize> result = new ArrayList<>();
        for (int k = 0; k < a.size(); k++) {
            Optional<AxisSize> product = a.get(k).times(b.get(k));
            if (product.isEmpty()) {
                return Optional.empty();
            }
            result.add(product.get());
        }
        return Optional.of(result);
    }
}
