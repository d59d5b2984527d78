package io.github.cellfuse.jvm;

import io.github.cellfuse.LstmWeights;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The JVM's own vectors, where the module {@code jdk.incubator.vector} is switched on. It and the classes named {@code Vector…} are
 * the only ones that need the module: {@link ArithmeticChoice} loads them by name.
 */
final class VectorArithmetic implements Arithmetic {
    /** The widest vectors that the machine is at its best with. Static and final: only so does C2 know their type. */
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
