package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of one run by name, each of them in our memory, in ONNX Runtime's, or known to both at the same place. Closing it gives back
 * what is ONNX Runtime's; tensors stay. Not thread safe.
 */
final class Values implements AutoCloseable {
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Map<String, Foreign> foreign = new HashMap<>();
    private final List<AutoCloseable> owned = new ArrayList<>();

    /** Adds a tensor. */
    void put(String name, Tensor tensor) {
        tensors.put(name, tensor);
    }

    /** Adds what ONNX Runtime knows a value by; beside the tensor of that name, if there is one. */
    void put(String name, Foreign value) {
        foreign.put(name, value);
    }

    /** Closes {@code owner} when the run is over. */
    void own(AutoCloseable owner) {
        owned.add(owner);
    }

    /** Returns the shape of a value that is there; empty where it isn't a tensor. */
    Optional<long[]> shape(String name) {
        Tensor tensor = tensors.get(name);
        return tensor != null ? Optional.of(tensor.shape()) : foreign.get(name).shape();
    }

    /** Returns the value as a tensor, copied out of ONNX Runtime's memory where it lies there. */
    Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            tensor = foreign.get(name).copy(name);
            tensors.put(name, tensor);
        }
        return tensor;
    }

    /** Returns what ONNX Runtime knows the value by already. */
    Optional<Foreign> foreign(String name) {
        return Optional.ofNullable(foreign.get(name));
    }

    @Override
    public void close() {
        for (AutoCloseable value : owned) {
            try {
                value.close();
            } catch (Exception e) {
                throw new CellFuseException("ONNX Runtime: giving a value back failed: " + e.getMessage(), e);
            }
        }
        owned.clear();
    }
}
