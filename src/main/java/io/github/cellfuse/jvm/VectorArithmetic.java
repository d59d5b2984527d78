package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The JVM's vectors, from the module {@code jdk.incubator.vector}. Only this class and the other classes named
 * {@code Vector…} need the module; {@link ArithmeticChoice} loads this one by name.
 */
final class VectorArithmetic implements Arithmetic {
    /** The JVM's preferred vectors for this machine. Static and final, because C2 only then knows their type. */
    static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    static final int LANES = SPECIES.length();

    @Override
    public PackedWeights pack(LstmWeights weights) {
        return VectorWeights.of(weights);
    }

    @Override
    public String tile(int units) {
        return VectorProduct.MAX_ROWS + " rows x " + LANES + " units";
    }

    @Override
    public String name() {
        return "vectors of " + LANES + " floats (jdk.incubator.vector)";
    }
}
