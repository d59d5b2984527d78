package io.github.cellfuse.format.torch;

import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.file.MappedFile;
import io.github.cellfuse.format.file.Problems;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code .safetensors} file, mapped into memory: named tensors, little-endian, behind a JSON header. Tensors that are
 * in several files, called shards, are opened through their {@link SafetensorsIndex index} and then read as if they
 * were in one.
 *
 * <p>The whole header is checked when the file is opened: every tensor's bytes fit its dtype and shape, and together
 * they cover the data without hole or overlap, as the format demands. Thread safe. After {@link #close()} reads are
 * refused; the memory is given back by the garbage collector. Don't shorten the file while it is open.
 */
public final class SafetensorsFile implements AutoCloseable {
    private final Path path;
    private final List<MappedFile> files;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, List<MappedFile> files, SafetensorsHeader header) {
        this.path = path;
        this.files = files;
        this.header = header;
    }

    /**
     * Opens a file and checks its header; or, by an index, several files.
     *
     * @param path a {@code .safetensors} file, or the index of shards, such as {@code model.safetensors.index.json}
     * @throws io.github.cellfuse.InvalidInputException when the file isn't there or isn't a whole {@code .safetensors}
     *     file, or the shards aren't what their index says
     * @throws io.github.cellfuse.CellFuseException when the disk fails
     */
    public static SafetensorsFile open(Path path) {
        if (SafetensorsIndex.isIndex(path)) {
            return open(SafetensorsIndex.read(path));
        }
        MappedFile file = MappedFile.open(path);
        return new SafetensorsFile(path, List.of(file), SafetensorsHeader.read(file));
    }

    private static SafetensorsFile open(SafetensorsIndex index) {
        index.checkShardsAreThere();
        Map<Path, SafetensorsHeader> shards = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        List<MappedFile> files = index.shards().stream().map(MappedFile::open).toList();
        for (int k = 0; k < files.size(); k++) {
            SafetensorsHeader header = SafetensorsHeader.read(files.get(k));
            shards.put(index.shards().get(k), header);
            metadata.putAll(header.metadata());
            tensors.putAll(header.tensors());
        }
        index.check(shards);
        SafetensorsHeader whole =
                new SafetensorsHeader(Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(tensors));
        return new SafetensorsFile(index.path(), files, whole);
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
        tensor.file.readFloats(tensor.start(), floatType(tensor), ByteOrder.LITTLE_ENDIAN, FloatBuffer.wrap(target));
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
        return tensor.floatType().orElseThrow(() -> {
            boolean isKnown = SafetensorsType.named(tensor.dtype()).isPresent();
            return Problems.invalid(
                    path,
                    "tensor " + tensor.name() + ": expected dtype F32, F16, BF16 or F64, found "
                            + (isKnown ? tensor.dtype() : Problems.quote(tensor.dtype())));
        });
    }

    /** Refuses further reads. Closing twice does nothing. */
    @Override
    public void close() {
        files.forEach(MappedFile::close);
    }

    /** A tensor as the header describes it. Immutable. */
    public static final class Tensor {
        private final MappedFile file;
        private final String name;
        private final String dtype;
        private final long[] shape;
        private final long elementCount;
        private final long start;

        Tensor(MappedFile file, String name, String dtype, long[] shape, long elementCount, long start) {
            this.file = file;
            this.name = name;
            this.dtype = dtype;
            this.shape = shape;
            this.elementCount = elementCount;
            this.start = start;
        }

        /** Returns its name. */
        public String name() {
            return name;
        }

        /** Returns its dtype in the format's own spelling, such as {@code F32}; it may be one that isn't known here. */
        public String dtype() {
            return dtype;
        }

        /** Returns its dimensions, as a new array; empty for a single value. */
        public long[] shape() {
            return shape.clone();
        }

        /** Returns the product of its dimensions. */
        public long elementCount() {
            return elementCount;
        }

        /** Returns the type by which its values are converted to float32, if weights may have its dtype. */
        public Optional<ElementType> floatType() {
            return SafetensorsType.named(dtype).flatMap(SafetensorsType::floatType);
        }

        /** Returns where its bytes begin, from the start of the file. */
        long start() {
            return start;
        }

        @Override
        public String toString() {
            return name + " " + dtype + " " + Problems.shape(shape);
        }
    }
}
