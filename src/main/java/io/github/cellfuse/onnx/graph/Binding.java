package io.github.cellfuse.onnx.graph;

/** Binds an input to a constant, which may depend on the type and shape that the model declares. */
@FunctionalInterface
public interface Binding {
    /** Returns the constant for {@code input}, of its type. */
    Tensor value(GraphValue input);

    /** Returns a binding to {@code tensor} for every input. */
    static Binding of(Tensor tensor) {
        return input -> tensor;
    }
}
