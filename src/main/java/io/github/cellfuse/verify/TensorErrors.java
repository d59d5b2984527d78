package io.github.cellfuse.verify;

/**
 * How far the float32 values of a tensor may be from the double values, by element; infinity if unknown.
 *
 * @param worst never exceeded
 * @param probable exceeded with the tiny probability given in {@code docs/verify.md}, if the roundings of different
 *     units are independent; may be larger than {@code worst}
 * @param groups which elements have the same errors, see {@link IdenticalUnits}; null if none
 */
record TensorErrors(double[] worst, double[] probable, int[] groups) {
    /** Covers the errors of the double-precision run and of the bound's own arithmetic: about 2⁻²⁹ of each term. */
    private static final double OWN_ERROR = 1 + 0x1p-20;

    /** Returns errors of zero. */
    static TensorErrors none(int size) {
        return none(size, null);
    }

    /** Returns errors of zero; elements of the same group will have the same error. */
    static TensorErrors none(int size, int[] groups) {
        return new TensorErrors(new double[size], new double[size], groups);
    }

    void set(int index, double worst, double probable) {
        this.worst[index] = finiteOrInfinite(worst);
        this.probable[index] = finiteOrInfinite(probable);
    }

    /** Copies all of {@code from} to {@code at}. */
    void put(int at, TensorErrors from) {
        System.arraycopy(from.worst, 0, worst, at, from.worst.length);
        System.arraycopy(from.probable, 0, probable, at, from.probable.length);
    }

    /**
     * The limit that a device must meet.
     *
     * @param value the largest error allowed
     * @param isProbable whether this is the probabilistic bound; else it is the worst case
     */
    record Bound(double value, boolean isProbable) {}

    /** Returns the limit that a device must meet: the smaller of the two bounds. */
    Bound limit(int index) {
        return new Bound(bound(index), probable[index] < worst[index]);
    }

    /** Returns the smaller of the two bounds. */
    double bound(int index) {
        return OWN_ERROR * Math.min(worst[index], probable[index]);
    }

    /** After an overflow, 0·∞ and ∞-∞ occur, and the error is unknown. */
    private static double finiteOrInfinite(double error) {
        return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
    }
}
