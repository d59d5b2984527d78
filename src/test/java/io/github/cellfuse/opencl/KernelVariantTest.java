package io.github.cellfuse.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KernelVariantTest {
    private static final List<KernelVariant> ALL = KernelVariant.gpu();

    @Test
    void everyVariantHasItsKernelAndANameOfItsOwn() {
        Set<String> names = new HashSet<>();
        for (KernelVariant variant : ALL) {
            assertTrue(variant.text().contains("__kernel void " + variant.kernel() + "("), variant.toString());
            assertTrue(names.add(variant.toString()), "twice: " + variant);
        }
    }

    @Test
    void optionsAreThoseOfThePlans() {
        KernelVariant first = ALL.get(0);
        assertEquals("lstm_step (fused 4x16)", first.toString());
        assertEquals(Tile.of(4, 4).options(), first.options());
        assertEquals(KernelSource.STEP.texts(), first.sources());
    }
}
