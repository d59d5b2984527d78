package io.github.cellfuse.onnx.graph;

/** What an input is bound to: a constant, which may depend on the type and shape that the model declares. */
@FunctionalInterface
public interface Binding {
    /** The constant for {@code input}, of its type. */
    Tensor value(GraphValue input);

    /** Always the same one. */
    static Binding of(Tensor tensor) {
        return input -> tensor;
    }
}
