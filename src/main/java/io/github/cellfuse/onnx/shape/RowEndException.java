package io.github.cellfuse.onnx.shape;

/** Leaves a rule at which rows can't be followed. */
final class RowEndException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient RowEnd end;

    RowEndException(RowEnd end) {
        super(end.reason(), null, false, false);
        this.end = end;
    }

    RowEnd end() {
        return end;
    }
}
