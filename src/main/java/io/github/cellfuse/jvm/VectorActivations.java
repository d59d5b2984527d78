package io.github.cellfuse.jvm;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link Activations} on vectors, operation by operation. Ranges are whole vectors. Thread safe. */
final class VectorActivations {
    private static final VectorSpecies<Float> SPECIES = VectorArithmetic.SPECIES;
    private static final int LANES = VectorArithmetic.LANES;

    private VectorActivations() {}

    /** Replaces {@code values[from … to-1]} by their sigmoids. */
    static void sigmoid(float[] values, int from, int to) {
        for (int j = from; j < to; j += LANES) {
            FloatVector x = FloatVector.fromArray(SPECIES, values, j);
            FloatVector z = x.abs().neg();
            z = z.blend(-104.0f, z.compare(VectorOperators.LT, -104.0f)); // a NaN isn't less and stays
            FloatVector t = z.fma(all(Activations.LOG2_E), all(Activations.ROUND_TO_INT));
            FloatVector s = expm1Reduced(reduce(z, t.sub(Activations.ROUND_TO_INT)));
            FloatVector scale = scale(t, 0x4F800000);
            FloatVector e = s.fma(scale, scale).mul(0x1p-32f);
            FloatVector numerator = all(1.0f).blend(e, x.compare(VectorOperators.LT, 0.0f));
            quotient(numerator, 1.0f, e).intoArray(values, j);
        }
    }

    /** Replaces {@code values[from … to-1]} by their hyperbolic tangents. */
    static void tanh(float[] values, int from, int to) {
        for (int j = from; j < to; j += LANES) {
            FloatVector x = FloatVector.fromArray(SPECIES, values, j);
            FloatVector z = x.abs().mul(-2.0f);
            z = z.blend(-20.0f, z.compare(VectorOperators.LT, -20.0f));
            FloatVector t = z.fma(all(Activations.LOG2_E), all(Activations.ROUND_TO_INT));
            FloatVector s = expm1Reduced(reduce(z, t.sub(Activations.ROUND_TO_INT)));
            FloatVector scale = scale(t, 0x3F800000);
            FloatVector m = s.fma(scale, scale.sub(1.0f));
            IntVector q = quotient(m.neg(), 2.0f, m).reinterpretAsInts();
            IntVector sign = x.reinterpretAsInts().and(0x80000000);
            q.or(sign).reinterpretAsFloats().intoArray(values, j);
        }
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }

    /** Returns the power of two whose exponent is in the low bits of {@code t}, times that of {@code bits}. */
    private static FloatVector scale(FloatVector t, int bits) {
        return t.reinterpretAsInts()
                .lanewise(VectorOperators.LSHL, 23)
                .add(bits)
                .reinterpretAsFloats();
    }

    private static FloatVector expm1Reduced(FloatVector r) {
        FloatVector p = all(Activations.E6).fma(r, all(Activations.E5));
        p = p.fma(r, all(Activations.E4));
        p = p.fma(r, all(Activations.E3));
        p = p.fma(r, all(Activations.E2));
        return p.mul(r).fma(r, r);
    }

    private static FloatVector reduce(FloatVector z, FloatVector n) {
        return n.fma(all(Activations.LN2_EXCESS), n.fma(all(-Activations.LN2_HIGH), z));
    }

    private static FloatVector quotient(FloatVector num, float one, FloatVector e) {
        FloatVector d = e.add(one);
        FloatVector r = all(Activations.G2).fma(d, all(Activations.G1)).fma(d, all(Activations.G0));
        FloatVector error = d.neg().fma(r, all(1.0f));
        r = r.fma(error.fma(error, error), r);
        FloatVector q = num.mul(r);
        FloatVector residual = q.neg().fma(e, q.fma(all(-one), num));
        return residual.fma(r, q);
    }
}
