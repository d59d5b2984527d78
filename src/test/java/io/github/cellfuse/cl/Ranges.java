package io.github.cellfuse.cl;

/** What tests of other packages ask of a range. */
public final class Ranges {
    private Ranges() {}

    /** Returns the global size. */
    public static long[] globals(NdRange range) {
        return range.globals().clone();
    }

    /** Returns the size of a group, null if the driver chooses it. */
    public static long[] locals(NdRange range) {
        long[] size = range.locals();
        return size == null ? null : size.clone();
    }
}
