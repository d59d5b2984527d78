package io.github.cellfuse.verify;

import io.github.cellfuse.Tier;

/**
 * What the error bound may rely on: every rounding of a result {@code z} is off by at most {@code unitRoundoff·|z| + underflow}.
 *
 * @param unitRoundoff {@code u}
 * @param underflow the absolute error where a result is denormal
 * @param fused whether a multiply-add rounds once (else its product is rounded too)
 * @param activationUlps the largest error of sigmoid and tanh in units in the last place of the result
 */
record DeviceArithmetic(double unitRoundoff, double underflow, boolean fused, double activationUlps) {
    /** The numerical contract: round to nearest, denormals kept, fused, activations within 2 ulp. */
    static final DeviceArithmetic EXACT = new DeviceArithmetic(0x1p-24, 0x1p-150, true, 2);

    /**
     * A device outside of the contract: any rounding to a neighbour, denormals flushed, products rounded. The defined activations
     * lean on the fused multiply-add, so there is no proof for theirs; 64 ulp is what losing it costs with room to spare.
     */
    static final DeviceArithmetic RELAXED = new DeviceArithmetic(0x1p-23, 0x1p-120, false, 64);

    static DeviceArithmetic of(Tier tier) {
        return tier == Tier.TOLERANCE ? RELAXED : EXACT;
    }

    /** Roundings in one multiply-add. */
    int roundings() {
        return fused ? 1 : 2;
    }
}
