package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of one run by name. Each is a tensor, a value of ONNX Runtime, or both with the same memory. Closing this
 * object releases the values of ONNX Runtime; tensors remain valid. Not thread safe.
 */
final class Values implements AutoCloseable {
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Map<String, Foreign> foreign = new HashMap<>();
    private final List<AutoCloseable> owned = new ArrayList<>();

    /** Adds a tensor. */
    void put(String name, Tensor tensor) {
        tensors.put(name, tensor);
    }

    /** Adds a value of ONNX Runtime, in addition to the tensor of that name if there is one. */
    void put(String name, Foreign value) {
        foreign.put(name, value);
    }

    /** Makes this object close {@code owner} after the run. */
    void own(AutoCloseable owner) {
        owned.add(owner);
    }

    /** Returns the shape of an existing value, or nothing if it isn't a tensor. */
    Optional<long[]> shape(String name) {
        Tensor tensor = tensors.get(name);
        return tensor != null ? Optional.of(tensor.shape()) : foreign.get(name).shape();
    }

    /** Returns a value as a tensor. A value that only ONNX Runtime has is copied out of its memory. */
    Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            tensor = foreign.get(name).copy(name);
            tensors.put(name, tensor);
        }
        return tensor;
    }

    /** Returns ONNX Runtime's object for a value, if it has one already. */
    Optional<Foreign> foreign(String name) {
        return Optional.ofNullable(foreign.get(name));
    }

    @Override
    public void close() {
        for (AutoCloseable value : owned) {
            try {
                value.close();
            } catch (Exception e) {
                throw new CellFuseException("ONNX Runtime: releasing a value failed: " + e.getMessage(), e);
            }
        }
        owned.clear();
    }
}
