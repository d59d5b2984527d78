package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.opencl.program.KernelSource;
import io.github.cellfuse.opencl.program.Staging;
import io.github.cellfuse.opencl.program.Tile;
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
            assertTrue(
                    variant.text().matches("(?s).*__kernel (GROUP_SIZE )?void " + variant.kernel() + "\\(.*"),
                    variant.toString());
            assertTrue(names.add(variant.toString()), "twice: " + variant);
        }
    }

    @Test
    void optionsAreThoseOfThePlans() {
        KernelVariant staged = ALL.get(0);
        assertEquals("lstm_step_tiled (fused 128x256, 16 k)", staged.toString());
        assertEquals(Tile.staged(8, new Staging(16, 16, 16)).options(), staged.options());
        assertEquals(256, staged.workGroup());
        KernelVariant alone = ALL.stream()
                .filter(variant -> variant.toString().equals("lstm_step (fused 4x16)"))
                .findFirst()
                .orElseThrow();
        assertEquals(Tile.of(4, 4).options(), alone.options());
        assertEquals(KernelSource.STEP.texts(), alone.sources());
        assertEquals(0, alone.workGroup());
        assertEquals(0, alone.localBytes());
    }
}
