package io.github.cellfuse.onnx.graph;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.ElementType;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A value of ONNX Runtime, which this object doesn't own. */
record OrtValue(OnnxValue value) implements Foreign {

    /** Returns a tensor of ONNX Runtime that shares {@code memory}; the caller closes it. */
    static OnnxTensor over(ElementType type, ByteBuffer memory, long[] shape) throws OrtException {
        return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), memory, shape, OrtTypes.javaType(type));
    }

    /** Returns the value called {@code name} as an input of ONNX Runtime, without copying it. */
    static OnnxTensorLike input(Values values, String name) throws OrtException {
        Optional<Foreign> known = values.foreign(name);
        if (known.isEmpty()) {
            Tensor tensor = values.tensor(name);
            OnnxTensor made = over(tensor.type(), tensor.memory(), tensor.shape());
            values.own(made);
            values.put(name, new OrtValue(made));
            return made;
        }
        if (known.get() instanceof OrtValue ours && ours.value() instanceof OnnxTensorLike like) {
            return like;
        }
        throw new CellFuseException("value '" + name
                + "': expected a tensor where the graph is cut at an LSTM, found another kind of value");
    }

    @Override
    public Optional<long[]> shape() {
        return value instanceof OnnxTensor tensor ? Optional.of(tensor.getInfo().getShape()) : Optional.empty();
    }

    @Override
    public Tensor copy(String name) {
        if (!(value instanceof OnnxTensor tensor)) {
            throw new InvalidInputException(
                    "value '" + name + "': expected a tensor of numbers, found a value of type " + value.getType());
        }
        TensorInfo info = tensor.getInfo();
        ElementType type = OrtTypes.elementType(info.onnxType)
                .orElseThrow(() -> new InvalidInputException(
                        "value '" + name + "': expected a tensor of numbers, found " + info.onnxType));
        return Tensor.size(type, info.getShape()) == 0
                ? Tensor.zeros(type, info.getShape())
                : new Tensor(type, tensor.getByteBuffer(), info.getShape());
    }
}
