package io.github.cellfuse.format.keras;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.file.FileRegion;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.spi.Sizes;
import io.jhdf.HdfFile;
import io.jhdf.api.Attribute;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.api.dataset.ContiguousDataset;
import io.jhdf.filter.PipelineFilterWithData;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * An HDF5 file as Keras writes it: groups, attributes with strings, and arrays of floats, in one piece or in chunks
 * that may be deflated. All exceptions of the underlying library on damaged bytes become one-line messages. Not thread
 * safe.
 */
final class Hdf5File implements AutoCloseable {
    /** The first bytes of every HDF5 file. */
    static final byte[] SIGNATURE = {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

    /** The filters that h5py's {@code compression="gzip"} and its other options add: deflate, shuffle, a checksum. */
    private static final Set<Integer> FILTERS = Set.of(1, 2, 3);

    private static final int DEFLATE = 1;

    /** The most bytes that one byte of deflated data stands for. */
    private static final long MOST_INFLATED = 1032;

    private final FileRegion region;
    private final HdfFile file;

    private Hdf5File(FileRegion region, HdfFile file) {
        this.region = region;
        this.file = file;
    }

    /** Opens the file in {@code region}, which stays the caller's. */
    static Hdf5File open(FileRegion region) {
        return open(region, region.whole());
    }

    /** {@code whole} is the region as one buffer, or empty if it is too large and must be read piece by piece. */
    static Hdf5File open(FileRegion region, Optional<ByteBuffer> whole) {
        byte[] start = region.bytes(0, (int) Math.min(SIGNATURE.length, region.size()));
        if (!Arrays.equals(start, SIGNATURE)) {
            throw Problems.invalid(region.label(), "not an HDF5 file: it doesn't begin as one does");
        }
        // A buffer if possible: its bounds are checked before anything is allocated by a size from the file.
        HdfFile file = guarded(
                region,
                "superblock",
                () -> whole.map(HdfFile::fromByteBuffer)
                        .orElseGet(() -> new HdfFile(new RegionChannel(region), URI.create("file:///hdf5"))));
        return new Hdf5File(region, file);
    }

    /** Returns the file's name in messages. */
    String label() {
        return region.label();
    }

    Group root() {
        return file;
    }

    /** Returns the group at {@code path} below {@code from}, or nothing. */
    Optional<Group> group(Group from, String path) {
        return node(from, path).map(node -> {
            if (node instanceof Group group) {
                return group;
            }
            throw Problems.invalid(label(), "group " + Problems.quote(path) + ": expected a group, found an array");
        });
    }

    /** Returns the names in a group, in the order of the file. */
    Set<String> names(Group group) {
        return guarded("group " + group.getName(), () -> group.getChildren().keySet());
    }

    private Optional<Node> node(Group from, String path) {
        Node node = from;
        for (String name : path.split("/")) {
            if (name.isEmpty()) {
                continue;
            }
            Node parent = node;
            Node child = parent instanceof Group group
                    ? guarded(
                            "group " + Problems.quote(path),
                            () -> group.getChildren().get(name))
                    : null;
            if (child == null) {
                return Optional.empty();
            }
            // A link may point outside the file, and Keras writes none.
            if (child.isLink()) {
                throw Problems.invalid(
                        label(), Problems.quote(path) + ": expected it in this file, found a link to another place");
            }
            node = child;
        }
        return Optional.of(node);
    }

    /** Returns a string, or nothing where the attribute isn't there. */
    Optional<String> text(Node node, String attribute) {
        Optional<List<String>> texts = texts(node, attribute);
        if (texts.isPresent() && texts.get().size() != 1) {
            throw Problems.invalid(
                    label(),
                    "attribute " + attribute + ": expected one string, found "
                            + texts.get().size());
        }
        return texts.map(list -> list.get(0));
    }

    /** Strings; an attribute without values, whatever its type, has none. */
    Optional<List<String>> texts(Node node, String attribute) {
        String what = "attribute " + attribute + " of " + Problems.quote(node.getName());
        Object data = guarded(what, () -> {
            Attribute found = node.getAttributes().get(attribute);
            if (found == null) {
                return null;
            }
            // Checked before arrays of that size are allocated.
            if (found.getSize() < 0 || found.getSizeInBytes() > region.size()) {
                throw Problems.invalid(label(), what + ": " + found.getSize() + " values don't fit the file");
            }
            return found.isEmpty() || found.getSize() == 0 ? new String[0] : found.getData();
        });
        if (data == null) {
            return Optional.empty();
        }
        List<String> texts = new ArrayList<>();
        for (Object value : data instanceof Object[] array ? array : new Object[] {data}) {
            if (!(value instanceof String text)) {
                throw Problems.invalid(label(), what + ": expected strings, found something else");
            }
            texts.add(text);
        }
        return Optional.of(texts);
    }

    /** Returns the dimensions of the array at {@code path}. */
    long[] shape(Group from, String path) {
        return dimensions(dataset(from, path), path);
    }

    /** Returns the values of the array at {@code path}, which must have that shape, as float32. */
    float[] floats(Group from, String path, long... shape) {
        Dataset dataset = dataset(from, path);
        String what = "array " + Problems.quote(path);
        long[] found = dimensions(dataset, path);
        if (!Arrays.equals(found, shape)) {
            throw Problems.invalid(
                    label(), what + ": expected shape " + Problems.shape(shape) + ", found " + Problems.shape(found));
        }
        FloatKind kind = kind(dataset, what);
        int count = Sizes.elements(label() + ": " + what, shape);
        // Also before the allocation: a false shape is larger than the file.
        if (kind.type().bytes() * (long) count > mostBytes(dataset, what)) {
            throw Problems.invalid(
                    label(),
                    what + ": shape " + Problems.shape(shape) + " doesn't fit the file's " + region.size() + " bytes");
        }
        return guarded(what, () -> {
            if (!(dataset instanceof ContiguousDataset contiguous)) {
                return dataset.getDataFlat() instanceof double[] wide ? rounded(wide) : (float[]) dataset.getDataFlat();
            }
            float[] values = new float[count];
            kind.read(contiguous.getBuffer(), values);
            return values;
        });
    }

    private static float[] rounded(double[] wide) {
        float[] values = new float[wide.length];
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) wide[k];
        }
        return values;
    }

    /** Returns the most bytes that an array's values can take, when they are all in the file. */
    private long mostBytes(Dataset dataset, String what) {
        if (dataset instanceof ContiguousDataset) {
            return region.size();
        }
        List<PipelineFilterWithData> filters = guarded(what, dataset::getFilters);
        if (!(dataset instanceof ChunkedDataset chunked)
                || !filters.stream().allMatch(filter -> FILTERS.contains(filter.getId()))) {
            throw Problems.invalid(
                    label(),
                    what + ": expected it plain, or compressed by gzip, found "
                            + (filters.isEmpty()
                                    ? "another layout"
                                    : "the filter "
                                            + Problems.quote(filters.get(filters.size() - 1)
                                                    .getName()))
                            + "; h5repack -f NONE -l CONTI puts that right");
        }
        boolean isDeflated = filters.stream().anyMatch(filter -> filter.getId() == DEFLATE);
        long most = isDeflated ? MOST_INFLATED * region.size() : region.size();
        long chunk = guarded(
                what,
                () -> Sizes.product(
                        label() + ": " + what + ": chunk",
                        Arrays.stream(chunked.getChunkDimensions())
                                .asLongStream()
                                .toArray()));
        if (chunk > most) {
            throw Problems.invalid(label(), what + ": chunks of " + chunk + " values don't fit the file");
        }
        return most;
    }

    private Dataset dataset(Group from, String path) {
        Node node = node(from, path)
                .orElseThrow(() -> Problems.invalid(
                        label(), "array " + Problems.quote(path) + ": expected it in the file, found none"));
        if (node instanceof Dataset dataset) {
            return dataset;
        }
        throw Problems.invalid(label(), Problems.quote(path) + ": expected an array, found a group");
    }

    private long[] dimensions(Dataset dataset, String path) {
        return guarded("array " + Problems.quote(path), dataset::getDimensionsAsLong);
    }

    private FloatKind kind(Dataset dataset, String what) {
        return guarded(what, () -> FloatKind.of(dataset.getDataType()))
                .orElseThrow(() -> Problems.invalid(
                        label(),
                        what + ": expected float16, float32 or float64, found "
                                + dataset.getDataType().getClass().getSimpleName() + " of "
                                + dataset.getDataType().getSize() + " bytes"));
    }

    private <T> T guarded(String what, Supplier<T> reading) {
        return guarded(region, what, reading);
    }

    /** The library has no exception for damaged files: it throws whatever its code happens to hit. */
    private static <T> T guarded(FileRegion region, String what, Supplier<T> reading) {
        AtomicReference<T> result = new AtomicReference<>();
        region.file().guarded(() -> {
            try {
                result.set(reading.get());
            } catch (CellFuseException e) {
                throw e;
            } catch (RuntimeException | StackOverflowError e) {
                throw damaged(region, what, e);
            }
        });
        return result.get();
    }

    private static InvalidInputException damaged(FileRegion region, String what, Throwable e) {
        String reason = e.getMessage() == null || e instanceof StackOverflowError ? "" : ": " + e.getMessage();
        return Problems.invalid(
                region.label(), what + ": expected HDF5 as Keras writes it, found it damaged or cut off" + reason, e);
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (RuntimeException ignored) {
            // The file is only read, so nothing is lost.
        }
    }
}
