package io.github.cellfuse.verify;

import io.github.cellfuse.Tier;

/**
 * The properties of an arithmetic that the error bound relies on: every rounding of a result {@code z} has an error of
 * at most {@code unitRoundoff·|z| + underflow}.
 *
 * @param unitRoundoff {@code u}
 * @param underflow the absolute error of a denormal result
 * @param fused whether a multiply-add rounds only once; else its product is rounded too
 * @param activationUlps the largest error of sigmoid and tanh, in units in the last place of the result
 */
record DeviceArithmetic(double unitRoundoff, double underflow, boolean fused, double activationUlps) {
    /** The numerical contract: round to nearest, denormals kept, fused multiply-adds, activations within 2 ulp. */
    static final DeviceArithmetic EXACT = new DeviceArithmetic(0x1p-24, 0x1p-150, true, 2);

    /**
     * A device outside of the contract: rounding to either neighbor, denormals flushed, products rounded. The
     * activations are defined with fused multiply-adds, so there is no proof for theirs; 64 ulp covers the loss with a
     * margin.
     */
    static final DeviceArithmetic RELAXED = new DeviceArithmetic(0x1p-23, 0x1p-120, false, 64);

    static DeviceArithmetic of(Tier tier) {
        return tier == Tier.TOLERANCE ? RELAXED : EXACT;
    }

    /** Returns the number of roundings in one multiply-add. */
    int roundings() {
        return fused ? 1 : 2;
    }
}
