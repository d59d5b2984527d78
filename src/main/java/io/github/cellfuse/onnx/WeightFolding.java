package io.github.cellfuse.onnx;

import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.spi.Sizes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Evaluates constants that exporters leave as computations on other constants. PyTorch's exporter, for instance,
 * reorders the gates of its weights by Slice and Concat. This class evaluates these two, Unsqueeze, Squeeze, Transpose,
 * Reshape, Identity, and Cast to float32 or int64, each on first use. Not thread safe.
 *
 * <p>There are two foldings. This one is plain Java, so that {@link OnnxLstm#load} needs no ONNX Runtime, and covers
 * only what exporters do to weights and shapes. The {@code RuntimeFolding} of whole graphs asks ONNX Runtime, which
 * those need anyway: it covers all operators and computes what a run would.
 */
final class WeightFolding implements Constants {
    /** The longest path of nodes to follow; also the most dimensions of a tensor. */
    private static final int DEEPEST = 64;

    /** Bytes that folding may add to the size of a graph's constants. */
    private static final long SLACK = 1 << 16;

    private final GraphIndex graph;
    private final long opset;
    private final Constants constants;
    private final OnnxTensors tensors;
    private final long largest;
    private final Map<String, Optional<TensorProto>> folded = new HashMap<>();

    WeightFolding(GraphIndex index, GraphProto graph, long opset, Constants constants, OnnxTensors tensors) {
        this.graph = index;
        this.opset = opset;
        this.constants = constants;
        this.tensors = tensors;
        long bytes = SLACK;
        for (TensorProto initializer : graph.getInitializerList()) {
            // 8 bytes for each element, because folding may change its type, for instance from float16 to float32.
            bytes += Math.min(Integer.MAX_VALUE, Sizes.product("", tensors.shape(initializer))) * Double.BYTES;
        }
        for (OnnxNode node : index.nodes()) {
            bytes += node.is("Constant") ? node.proto().getSerializedSize() : 0;
        }
        largest = Math.min(bytes, Integer.MAX_VALUE - 8);
    }

    @Override
    public Optional<TensorProto> find(String name) {
        return find(name, 0);
    }

    private Optional<TensorProto> find(String name, int depth) {
        Optional<TensorProto> given = constants.find(name);
        if (given.isPresent()) {
            return given;
        }
        Optional<TensorProto> found = folded.get(name);
        if (found == null) {
            found = depth > DEEPEST
                    ? Optional.empty()
                    : graph.producer(name)
                            .filter(node -> node.output(0).equals(Optional.of(name)))
                            .flatMap(node -> fold(node, depth + 1))
                            .map(ConstantTensor::toProto);
            folded.put(name, found);
        }
        return found;
    }

    private Optional<ConstantTensor> tensor(OnnxNode node, int input, int depth) {
        return node.input(input)
                .flatMap(name -> find(name, depth))
                .filter(tensor -> TensorType.of(tensor.getDataType()).isPresent())
                .flatMap(tensor -> ConstantTensor.of(tensor, tensors));
    }

    /** Returns a constant input's integers, or nothing if there are more than a tensor has dimensions. */
    private Optional<long[]> integers(OnnxNode node, int input, int depth) {
        return node.input(input)
                .flatMap(name -> find(name, depth))
                .flatMap(tensor -> Plumbing.integers(tensor, tensors))
                .filter(values -> values.length <= DEEPEST);
    }

    private Optional<ConstantTensor> fold(OnnxNode node, int depth) {
        if (node.is("Concat")) {
            return concatenated(node, depth);
        }
        if (!Plumbing.isPlumbing(node) && !node.is("Slice")) {
            return Optional.empty();
        }
        Optional<ConstantTensor> input = tensor(node, 0, depth);
        if (input.isEmpty()) {
            return input;
        }
        ConstantTensor from = input.get();
        return switch (node.proto().getOpType()) {
            case "Identity" -> input;
            case "Slice" -> sliced(node, from, depth);
            case "Transpose" -> transposed(node, from);
            case "Squeeze" -> squeezed(node, from, depth);
            case "Unsqueeze" -> unsqueezed(node, from, depth);
            case "Reshape" -> reshaped(node, from, depth);
            case "Cast" -> cast(node, from);
            default -> Optional.empty();
        };
    }

    private Optional<ConstantTensor> concatenated(OnnxNode node, int depth) {
        List<ConstantTensor> parts = new ArrayList<>();
        long total = 0;
        for (int k = 0; k < node.proto().getInputCount(); k++) {
            Optional<ConstantTensor> part = tensor(node, k, depth);
            if (part.isEmpty()) {
                return part;
            }
            total += part.get().bytes().limit();
            if (total > largest) {
                throw node.invalid("expected folded constants of at most " + largest
                        + " bytes for a model of this size, found " + total);
            }
            parts.add(part.get());
        }
        int axis = parts.isEmpty() ? -1 : parts.get(0).axis(node.integer("axis", 1));
        return axis < 0 ? Optional.empty() : ConstantTensor.concatenated(parts, axis);
    }

    private Optional<ConstantTensor> sliced(OnnxNode node, ConstantTensor from, int depth) {
        Optional<long[]> starts = list(node, "starts", 1, depth), ends = list(node, "ends", 2, depth);
        if (starts.isEmpty() || ends.isEmpty()) {
            return Optional.empty();
        }
        int count = starts.get().length;
        boolean hasAxes = node.input(3).isPresent() || node.integers("axes").isPresent();
        Optional<long[]> axes = hasAxes
                ? list(node, "axes", 3, depth)
                : Optional.of(IntStream.range(0, count).asLongStream().toArray());
        boolean isPlain = node.input(4).isEmpty()
                || integers(node, 4, depth)
                        .filter(steps -> Arrays.stream(steps).allMatch(step -> step == 1))
                        .isPresent();
        if (!isPlain || axes.isEmpty() || axes.get().length != count || ends.get().length != count) {
            return Optional.empty();
        }
        int[] first = new int[from.rank()], to = from.shape().clone();
        for (int k = 0; k < count; k++) {
            int axis = from.axis(axes.get()[k]);
            if (axis < 0) {
                return Optional.empty();
            }
            int size = from.shape()[axis];
            first[axis] = clamp(starts.get()[k], size);
            to[axis] = Math.max(first[axis], clamp(ends.get()[k], size));
        }
        return Optional.of(from.sliced(first, to));
    }

    /** Returns a parameter of Slice: an attribute before opset 10, and an input from then on. */
    private Optional<long[]> list(OnnxNode node, String attribute, int input, int depth) {
        return opset < 10 ? Plumbing.array(node.integers(attribute)) : integers(node, input, depth);
    }

    private static int clamp(long index, int size) {
        return (int) Math.max(0, Math.min(index < 0 ? index + size : index, size));
    }

    private static Optional<ConstantTensor> transposed(OnnxNode node, ConstantTensor from) {
        int rank = from.rank();
        int[] permutation = node.integers("perm")
                .map(perm -> perm.stream()
                        .mapToInt(k -> k < 0 || k >= rank ? -1 : k.intValue())
                        .toArray())
                .orElseGet(() -> IntStream.range(0, rank).map(k -> rank - 1 - k).toArray());
        int[] sorted = permutation.clone();
        Arrays.sort(sorted);
        return Arrays.equals(sorted, IntStream.range(0, rank).toArray())
                ? Optional.of(from.transposed(permutation))
                : Optional.empty();
    }

    /** Returns the axes of Squeeze or Unsqueeze: an attribute before opset 13, and an input from then on. */
    private Optional<long[]> axes(OnnxNode node, int depth) {
        return node.input(1).isPresent() ? integers(node, 1, depth) : Plumbing.array(node.integers("axes"));
    }

    private Optional<ConstantTensor> squeezed(OnnxNode node, ConstantTensor from, int depth) {
        Optional<long[]> axes = axes(node, depth);
        if (axes.isEmpty()) {
            return Optional.empty();
        }
        int[] left = from.shape().clone();
        for (long axis : axes.get()) {
            int index = from.axis(axis);
            if (index < 0 || from.shape()[index] != 1) {
                return Optional.empty();
            }
            left[index] = -1;
        }
        return Optional.of(
                from.shaped(Arrays.stream(left).filter(size -> size >= 0).toArray()));
    }

    private Optional<ConstantTensor> unsqueezed(OnnxNode node, ConstantTensor from, int depth) {
        Optional<long[]> axes = axes(node, depth);
        if (axes.isEmpty()) {
            return Optional.empty();
        }
        int rank = from.rank() + axes.get().length;
        int[] indices = Arrays.stream(axes.get())
                .mapToInt(axis -> ConstantTensor.axis(axis, rank))
                .sorted()
                .distinct()
                .toArray();
        if (indices.length != axes.get().length || indices.length > 0 && indices[0] < 0) {
            return Optional.empty();
        }
        List<Integer> all = new ArrayList<>();
        Arrays.stream(from.shape()).forEach(all::add);
        for (int index : indices) {
            all.add(index, 1);
        }
        return Optional.of(from.shaped(all.stream().mapToInt(d -> d).toArray()));
    }

    private Optional<ConstantTensor> reshaped(OnnxNode node, ConstantTensor from, int depth) {
        Optional<long[]> target = opset < 5 ? Plumbing.array(node.integers("shape")) : integers(node, 1, depth);
        boolean zeroIsZero = node.integer("allowzero", 0) != 0;
        if (target.isEmpty()) {
            return Optional.empty();
        }
        long[] wanted = target.get();
        long count = 1;
        int open = -1;
        for (int k = 0; k < wanted.length; k++) {
            if (wanted[k] == 0 && !zeroIsZero && k < from.rank()) {
                wanted[k] = from.shape()[k];
            }
            if (wanted[k] == -1 && open < 0) {
                open = k;
            } else if (wanted[k] < 1 || wanted[k] > Integer.MAX_VALUE || count > Integer.MAX_VALUE) {
                return Optional.empty();
            } else {
                count *= wanted[k];
            }
        }
        if (open >= 0 && from.count() % count == 0) {
            wanted[open] = from.count() / count;
            count = from.count();
        }
        return count == from.count()
                ? Optional.of(from.shaped(
                        Arrays.stream(wanted).mapToInt(Math::toIntExact).toArray()))
                : Optional.empty();
    }

    private Optional<ConstantTensor> cast(OnnxNode node, ConstantTensor from) {
        long to = opset < 6 ? 0 : node.integer("to", 0);
        if (to == from.type().code()) {
            return Optional.of(from);
        }
        if (to == TensorType.INT64.code()) {
            return Plumbing.wholeNumbers(from.toProto(), tensors).map(numbers -> {
                ConstantTensor result = ConstantTensor.allocate(TensorType.INT64, from.shape());
                result.bytes().asLongBuffer().put(numbers);
                return result;
            });
        }
        if (to != TensorType.FLOAT.code() || !from.type().isFloat()) {
            return Optional.empty();
        }
        ConstantTensor result = ConstantTensor.allocate(TensorType.FLOAT, from.shape());
        result.bytes().asFloatBuffer().put(new TensorValues(from.type(), from.bytes()).floats());
        return Optional.of(result);
    }
}
