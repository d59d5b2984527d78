package io.github.cellfuse.onnx.graph;

import io.github.cellfuse.CellFuseException;

/** ONNX Runtime failed, rather than a device: it would fail again. */
public final class OnnxRuntimeException extends CellFuseException {
    private static final long serialVersionUID = 1;

    OnnxRuntimeException(String message, Throwable cause) {
        super(message, cause);
    }
}
