package io.github.cellfuse.format.torch;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/**
 * A {@code .safetensors} file, mapped into memory: named tensors, little-endian, behind a JSON header.
 *
 * <p>The whole header is checked when the file is opened: every tensor's bytes fit its dtype and shape, and together
 * they cover the data without hole or overlap, as the format demands. Thread safe. After {@link #close()} reads are
 * refused; the memory is given back by the garbage collector. Don't shorten the file while it is open.
 */
public final class SafetensorsFile implements AutoCloseable {
    private final Path path;
    private final MappedFile file;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, MappedFile file) {
        this.path = path;
        this.file = file;
        this.header = SafetensorsHeader.read(file);
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there or isn't a whole {@code .safetensors}
     *     file
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static SafetensorsFile open(Path path) {
        return new SafetensorsFile(path, MappedFile.open(path));
    }

    /** Returns the file. */
    public Path path() {
        return path;
    }

    /** Returns the tensors by name, in the order of the header. */
    public Map<String, Tensor> tensors() {
        return header.tensors();
    }

    /** {@code __metadata__}: free text by name; empty where there is none. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * A tensor's values as float32 in C order, in a new array: F32 as they are; F16 and BF16 exactly; F64 rounded to
     * the nearest float32 (ties to even, beyond the largest to infinity).
     *
     * @throws io.github.cellfuse.InvalidInputException when there is no such tensor, its dtype is another one, or it
     *     has more values than an array holds
     * @throws io.github.cellfuse.CellFuseException when the disk fails or the file has been closed
     */
    public float[] readFloats(String name) {
        Tensor tensor = tensor(name);
        if (tensor.elementCount() > Integer.MAX_VALUE - 8) {
            throw Problems.invalid(
                    path,
                    "tensor " + name + ": " + tensor.elementCount() + " values are more than one Java array holds");
        }
        floatType(tensor);
        float[] values = new float[(int) tensor.elementCount()];
        readFloats(name, values);
        return values;
    }

    /**
     * Fills {@code target} with a tensor's values; see {@link #readFloats(String)}.
     *
     * @param target as long as the tensor has values
     */
    public void readFloats(String name, float[] target) {
        Tensor tensor = tensor(name);
        if (target.length != tensor.elementCount()) {
            throw Problems.invalid(
                    path,
                    "tensor " + name + ": expected an array for its " + tensor.elementCount() + " values, found one of "
                            + target.length);
        }
        file.readFloats(tensor.start(), floatType(tensor), ByteOrder.LITTLE_ENDIAN, FloatBuffer.wrap(target));
    }

    private Tensor tensor(String name) {
        Tensor tensor = tensors().get(name);
        if (tensor == null) {
            throw Problems.invalid(
                    path,
                    "expected a tensor " + Problems.quote(name) + ", found "
                            + Problems.some(tensors().keySet()));
        }
        return tensor;
    }

    private ElementType floatType(Tensor tensor) {
        return tensor.type()
                .floatType()
                .orElseThrow(() -> Problems.invalid(
                        path,
                        "tensor " + tensor.name() + ": expected dtype F32, F16, BF16 or F64, found " + tensor.dtype()));
    }

    /** Refuses further reads. Closing twice does nothing. */
    @Override
    public void close() {
        file.close();
    }

    /** A tensor as the header describes it. Immutable. */
    public static final class Tensor {
        private final String name;
        private final SafetensorsType type;
        private final long[] shape;
        private final long elementCount;
        private final long start;

        Tensor(String name, SafetensorsType type, long[] shape, long elementCount, long start) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            this.elementCount = elementCount;
            this.start = start;
        }

        /** Returns its name. */
        public String name() {
            return name;
        }

        /** Returns its dtype in the format's own spelling, such as {@code F32}. */
        public String dtype() {
            return type.name();
        }

        /** Returns its dimensions, as a new array; empty for a single value. */
        public long[] shape() {
            return shape.clone();
        }

        /** Returns the product of its dimensions. */
        public long elementCount() {
            return elementCount;
        }

        public SafetensorsType type() {
            return type;
        }

        /** Returns where its bytes begin, from the start of the file. */
        long start() {
            return start;
        }

        @Override
        public String toString() {
            return name + " " + type + " " + Problems.shape(shape);
        }
    }
}
