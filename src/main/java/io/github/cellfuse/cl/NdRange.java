package io.github.cellfuse.cl;

import java.util.Arrays;

/**
 * The index space of a launch: global size, global offset and, if wanted, the work-group's size, in one to three
 * dimensions. Mutable, so that a loop can change the offset and launch again without allocating; not thread-safe.
 *
 * <p>Values are in work-items. {@code get_global_id(d)} runs from {@code offset[d]} to {@code offset[d] + global[d] −
 * 1}. Where a work-group's size is given, the global size must be a multiple of it in each dimension.
 */
public final class NdRange {
    private final int dimensions;
    private final long[] offset;
    private final long[] global;
    private final long[] local;
    private boolean hasLocal;

    private NdRange(long... global) {
        dimensions = global.length;
        offset = new long[dimensions];
        this.global = global;
        local = new long[dimensions];
        for (int d = 0; d < dimensions; d++) {
            positive("global size", d, global[d]);
        }
    }

    /** Returns a range of one dimension; the driver chooses the work-group. */
    public static NdRange of(long x) {
        return new NdRange(x);
    }

    /** Returns a range of two dimensions; the driver chooses the work-group. */
    public static NdRange of(long x, long y) {
        return new NdRange(x, y);
    }

    /** Returns a range of three dimensions; the driver chooses the work-group. */
    public static NdRange of(long x, long y, long z) {
        return new NdRange(x, y, z);
    }

    /** Sets the global size in dimension {@code d}, at least 1. */
    public NdRange global(int d, long size) {
        global[d] = positive("global size", d, size);
        return this;
    }

    /**
     * Sets the global offset in dimension {@code d}, at least 0: the way to hand a kernel its time step without an
     * argument.
     */
    public NdRange offset(int d, long value) {
        if (value < 0) {
            throw new IllegalArgumentException("offset in dimension " + d + ": expected at least 0, found " + value);
        }
        offset[d] = value;
        return this;
    }

    /** Sets the size of the work-group, one value of at least 1 for each dimension. */
    public NdRange local(long... size) {
        if (size.length != dimensions) {
            throw new IllegalArgumentException(
                    "work-group size: expected " + dimensions + " dimensions, found " + size.length);
        }
        for (int d = 0; d < dimensions; d++) {
            local[d] = positive("work-group size", d, size[d]);
        }
        hasLocal = true;
        return this;
    }

    /** Lets the driver choose the work-group. */
    public NdRange anyLocal() {
        hasLocal = false;
        return this;
    }

    /** Returns the number of dimensions, 1 to 3. */
    public int dimensions() {
        return dimensions;
    }

    /** Returns the global size in dimension {@code d}. */
    public long globalSize(int d) {
        return global[d];
    }

    // The arrays themselves, for the call: no copies in the time loop.
    long[] offsets() {
        return offset;
    }

    long[] globals() {
        return global;
    }

    long[] locals() {
        return hasLocal ? local : null;
    }

    private static long positive(String what, int d, long size) {
        if (size < 1) {
            throw new IllegalArgumentException(what + " in dimension " + d + ": expected at least 1, found " + size);
        }
        return size;
    }

    @Override
    public String toString() {
        return "global " + Arrays.toString(global) + " from " + Arrays.toString(offset) + ", work-group "
                + (hasLocal ? Arrays.toString(local) : "chosen by the driver");
    }
}
