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
        KernelVariant persistent = named("lstm_sequence_persistent (16x16, 64 of 512 k, 64 work-items)");
        Staging weights = Staging.persistent(4, 16, 64, 512);
        assertEquals(Tile.staged(1, weights).withHoisted(true).options(), persistent.options());
        assertEquals(64, persistent.workGroup());
        assertEquals(4, persistent.fmasOfK());
        KernelVariant alone = named("lstm_step (fused 4x16)");
        assertEquals(Tile.of(4, 4).options(), alone.options());
        assertEquals(KernelSource.STEP.texts(), alone.sources());
        assertEquals(0, alone.workGroup());
        assertEquals(0, alone.localBytes());
    }

    private static KernelVariant named(String name) {
        return ALL.stream()
                .filter(variant -> variant.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
