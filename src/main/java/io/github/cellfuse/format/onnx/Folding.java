package io.github.cellfuse.format.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.cellfuse.Sizes;
import io.github.cellfuse.format.onnx.Onnx.GraphProto;
import io.github.cellfuse.format.onnx.Onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Constants that exporters leave to be computed of others: PyTorch's puts the gates of its weights into ONNX's order by Slice and Concat.
 * These, Unsqueeze, Squeeze, Transpose, Reshape, Cast to float32 or int64 and Identity are done here, when they are asked for; a graph that does
 * more is for a graph runner. Not thread safe.
 */
final class Folding implements Constants {
    /** Nodes in a row. */
    private static final int DEEPEST = 64;

    /** What a graph may fold to beyond the size of its constants. */
    private static final long SLACK = 1 << 16;

    private final GraphIndex graph;
    private final long opset;
    private final Constants constants;
    private final OnnxTensors tensors;
    private final long largest;
    private final Map<String, Optional<TensorProto>> folded = new HashMap<>();

    Folding(GraphIndex index, GraphProto graph, long opset, Constants constants, OnnxTensors tensors) {
        this.graph = index;
        this.opset = opset;
        this.constants = constants;
        this.tensors = tensors;
        long bytes = SLACK;
        for (TensorProto initializer : graph.getInitializerList()) {
            if (TensorType.of(initializer.getDataType()).isPresent()) {
                bytes += Math.min(Integer.MAX_VALUE, Sizes.product("", tensors.shape(initializer))) * Double.BYTES;
            }
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
                            .map(Value::toTensor);
            folded.put(name, found);
        }
        return found;
    }

    /** A tensor of which the elements are moved, whatever they are. */
    private record Value(TensorType type, int[] shape, ByteBuffer bytes) {
        int size() {
            return type.element().bytes();
        }

        int[] strides() {
            int[] strides = new int[shape.length];
            int stride = 1;
            for (int k = shape.length - 1; k >= 0; k--) {
                strides[k] = stride;
                stride *= shape[k];
            }
            return strides;
        }

        Value shaped(int... other) {
            return new Value(type, other, bytes);
        }

        TensorProto toTensor() {
            TensorProto.Builder tensor = TensorProto.newBuilder().setDataType(type.code());
            for (int dimension : shape) {
                tensor.addDims(dimension);
            }
            ByteString raw = UnsafeByteOperations.unsafeWrap(bytes.duplicate().rewind());
            return tensor.setRawData(raw).build();
        }
    }

    private Optional<Value> value(OnnxNode node, int input, int depth) {
        return node.input(input)
                .flatMap(name -> find(name, depth))
                .filter(tensor -> TensorType.of(tensor.getDataType()).isPresent())
                .map(tensor -> {
                    TensorValues values = tensors.values(tensor);
                    // Its bytes are there, so that no dimension is beyond an int, unless another is 0.
                    int[] shape = Arrays.stream(tensors.shape(tensor))
                            .mapToInt(d -> (int) Math.min(d, Integer.MAX_VALUE))
                            .toArray();
                    return new Value(values.type(), shape, values.bytes());
                });
    }

    private Optional<long[]> integers(OnnxNode node, int input, int depth) {
        return node.input(input)
                .flatMap(name -> find(name, depth))
                .flatMap(tensor -> Plumbing.integers(tensor, tensors));
    }

    private Optional<Value> fold(OnnxNode node, int depth) {
        if (!OnnxNode.isDefaultDomain(node.proto().getDomain())) {
            return Optional.empty();
        }
        return switch (node.proto().getOpType()) {
            case "Identity" -> value(node, 0, depth);
            case "Concat" -> concatenated(node, depth);
            case "Slice" -> value(node, 0, depth).flatMap(value -> sliced(node, value, depth));
            case "Transpose" -> value(node, 0, depth).flatMap(value -> transposed(node, value));
            case "Squeeze" -> value(node, 0, depth).flatMap(value -> squeezed(node, value, depth));
            case "Unsqueeze" -> value(node, 0, depth).flatMap(value -> unsqueezed(node, value, depth));
            case "Reshape" -> value(node, 0, depth).flatMap(value -> reshaped(node, value, depth));
            case "Cast" -> value(node, 0, depth).flatMap(value -> cast(node, value));
            default -> Optional.empty();
        };
    }

    private Optional<Value> concatenated(OnnxNode node, int depth) {
        List<Value> parts = new ArrayList<>();
        long total = 0;
        for (int k = 0; k < node.proto().getInputCount(); k++) {
            Optional<Value> part = value(node, k, depth);
            if (part.isEmpty()) {
                return part;
            }
            total += part.get().bytes().limit();
            if (total > largest) {
                throw node.invalid("expected constants that are folded to no more than they take in the model, found "
                        + total + " bytes");
            }
            parts.add(part.get());
        }
        if (parts.isEmpty()) {
            return Optional.empty();
        }
        Value first = parts.get(0);
        int axis = index(node.integer("axis", 1), first.shape().length);
        if (axis < 0) {
            return Optional.empty();
        }
        int[] shape = first.shape().clone();
        shape[axis] = 0;
        for (Value part : parts) {
            int[] rest = part.shape().clone();
            if (rest.length != shape.length || part.type() != first.type()) {
                return Optional.empty();
            }
            shape[axis] += rest[axis];
            rest[axis] = first.shape()[axis];
            if (!Arrays.equals(rest, first.shape())) {
                return Optional.empty();
            }
        }
        int outer = product(shape, 0, axis);
        ByteBuffer bytes = allocate((int) total, 1);
        for (int row = 0; row < outer; row++) {
            for (Value part : parts) {
                int block = part.bytes().limit() / outer;
                bytes.put(part.bytes().slice(row * block, block));
            }
        }
        return Optional.of(new Value(first.type(), shape, bytes));
    }

    private static int product(int[] shape, int from, int to) {
        return IntStream.range(from, to).map(k -> shape[k]).reduce(1, (a, b) -> a * b);
    }

    /** An axis counted from the front, or -1 where there is none. */
    private static int index(long axis, int rank) {
        long index = axis < 0 ? axis + rank : axis;
        return index >= 0 && index < rank ? (int) index : -1;
    }

    private Optional<Value> sliced(OnnxNode node, Value value, int depth) {
        boolean isInput = opset >= 10;
        Optional<long[]> starts = isInput ? integers(node, 1, depth) : Plumbing.array(node.integers("starts"));
        Optional<long[]> ends = isInput ? integers(node, 2, depth) : Plumbing.array(node.integers("ends"));
        boolean hasAxes =
                isInput ? node.input(3).isPresent() : node.integers("axes").isPresent();
        Optional<long[]> axes = !hasAxes
                ? starts.map(s -> IntStream.range(0, s.length).asLongStream().toArray())
                : isInput ? integers(node, 3, depth) : Plumbing.array(node.integers("axes"));
        Optional<long[]> steps = !isInput || node.input(4).isEmpty()
                ? starts.map(s -> {
                    long[] ones = new long[s.length];
                    Arrays.fill(ones, 1);
                    return ones;
                })
                : integers(node, 4, depth);
        if (starts.isEmpty() || ends.isEmpty() || axes.isEmpty() || steps.isEmpty()) {
            return Optional.empty();
        }
        int count = starts.get().length;
        if (ends.get().length != count || axes.get().length != count || steps.get().length != count) {
            return Optional.empty();
        }
        int[] shape = value.shape().clone(), strides = value.strides();
        int offset = 0;
        for (int k = 0; k < count; k++) {
            int axis = index(axes.get()[k], shape.length);
            if (axis < 0 || steps.get()[k] != 1) {
                return Optional.empty();
            }
            int from = clamp(starts.get()[k], shape[axis]), to = Math.max(from, clamp(ends.get()[k], shape[axis]));
            offset += from * strides[axis];
            shape[axis] = to - from;
        }
        return Optional.of(gathered(value, shape, offset, strides));
    }

    private static int clamp(long index, int size) {
        return (int) Math.max(0, Math.min(index < 0 ? index + size : index, size));
    }

    private Optional<Value> transposed(OnnxNode node, Value value) {
        int rank = value.shape().length;
        int[] permutation = node.integers("perm")
                .map(perm -> perm.stream()
                        .mapToInt(k -> k < 0 || k >= rank ? -1 : k.intValue())
                        .toArray())
                .orElseGet(() -> IntStream.range(0, rank).map(k -> rank - 1 - k).toArray());
        int[] sorted = permutation.clone();
        Arrays.sort(sorted);
        if (!Arrays.equals(sorted, IntStream.range(0, rank).toArray())) {
            return Optional.empty();
        }
        int[] all = value.strides();
        int[] shape = Arrays.stream(permutation).map(k -> value.shape()[k]).toArray();
        int[] strides = Arrays.stream(permutation).map(k -> all[k]).toArray();
        return Optional.of(gathered(value, shape, 0, strides));
    }

    /** The elements of {@code shape} that lie {@code strides} apart, from {@code offset} on. */
    private static Value gathered(Value value, int[] shape, int offset, int[] strides) {
        int size = value.size(), count = product(shape, 0, shape.length);
        ByteBuffer bytes = allocate(count, size);
        int[] index = new int[shape.length];
        int at = offset;
        for (int k = 0; k < count; k++) {
            bytes.put(k * size, value.bytes(), at * size, size);
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                at += strides[axis];
                if (++index[axis] < shape[axis]) {
                    break;
                }
                at -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
        return new Value(value.type(), shape, bytes);
    }

    private Optional<long[]> axes(OnnxNode node, int depth) {
        return node.input(1).isPresent() ? integers(node, 1, depth) : Plumbing.array(node.integers("axes"));
    }

    private Optional<Value> squeezed(OnnxNode node, Value value, int depth) {
        List<Integer> left = new ArrayList<>();
        Arrays.stream(value.shape()).forEach(left::add);
        Optional<long[]> axes = axes(node, depth);
        if (axes.isEmpty()) {
            return Optional.empty();
        }
        for (long axis : axes.get()) {
            int index = index(axis, value.shape().length);
            if (index < 0 || value.shape()[index] != 1) {
                return Optional.empty();
            }
            left.set(index, null);
        }
        left.removeIf(dimension -> dimension == null);
        return Optional.of(value.shaped(left.stream().mapToInt(d -> d).toArray()));
    }

    private Optional<Value> unsqueezed(OnnxNode node, Value value, int depth) {
        Optional<long[]> axes = axes(node, depth);
        if (axes.isEmpty()) {
            return Optional.empty();
        }
        int rank = value.shape().length + axes.get().length;
        int[] indices = Arrays.stream(axes.get())
                .mapToInt(axis -> index(axis, rank))
                .sorted()
                .distinct()
                .toArray();
        if (indices.length != axes.get().length || indices.length > 0 && indices[0] < 0) {
            return Optional.empty();
        }
        List<Integer> all = new ArrayList<>();
        Arrays.stream(value.shape()).forEach(all::add);
        for (int index : indices) {
            all.add(index, 1);
        }
        return Optional.of(value.shaped(all.stream().mapToInt(d -> d).toArray()));
    }

    private Optional<Value> reshaped(OnnxNode node, Value value, int depth) {
        Optional<long[]> target = opset < 5 ? Plumbing.array(node.integers("shape")) : integers(node, 1, depth);
        boolean zeroIsZero = node.integer("allowzero", 0) != 0;
        if (target.isEmpty() || target.get().length > DEEPEST) {
            return Optional.empty();
        }
        long[] wanted = target.get();
        long count = 1;
        int open = -1;
        for (int k = 0; k < wanted.length; k++) {
            if (wanted[k] == 0 && !zeroIsZero && k < value.shape().length) {
                wanted[k] = value.shape()[k];
            }
            if (wanted[k] == -1 && open < 0) {
                open = k;
            } else if (wanted[k] < 1 || wanted[k] > Integer.MAX_VALUE || count > Integer.MAX_VALUE) {
                return Optional.empty();
            } else {
                count *= wanted[k];
            }
        }
        int elements = value.bytes().limit() / value.size();
        if (open >= 0 && elements % count == 0) {
            wanted[open] = elements / count;
            count = elements;
        }
        return count == elements
                ? Optional.of(value.shaped(
                        Arrays.stream(wanted).mapToInt(Math::toIntExact).toArray()))
                : Optional.empty();
    }

    private Optional<Value> cast(OnnxNode node, Value value) {
        long to = opset < 6 ? 0 : node.integer("to", 0);
        if (to == value.type().code()) {
            return Optional.of(value);
        }
        if (to == TensorType.INT64.code()) {
            return Plumbing.wholeNumbers(value.toTensor(), tensors).map(numbers -> {
                ByteBuffer bytes = allocate(numbers.length, Long.BYTES);
                bytes.asLongBuffer().put(numbers);
                return new Value(TensorType.INT64, value.shape(), bytes);
            });
        }
        if (to != TensorType.FLOAT.code() || !value.type().isFloat()) {
            return Optional.empty();
        }
        float[] floats = new TensorValues(value.type(), value.bytes()).floats();
        ByteBuffer bytes = allocate(floats.length, Float.BYTES);
        bytes.asFloatBuffer().put(floats);
        return Optional.of(new Value(TensorType.FLOAT, value.shape(), bytes));
    }

    private static ByteBuffer allocate(int count, int size) {
        return ByteBuffer.allocate(Math.multiplyExact(count, size)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
