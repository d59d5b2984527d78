package io.github.cellfuse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LimitTest {
    private static final KernelVariant ALONE = new KernelVariant("lstm_step", "fused 4x16", List.of(), "", 0, 0, 4, 16);

    private static List<String> broken(AuditResult... results) {
        return Limit.broken(List.of(results)).stream()
                .map(each -> each.limit().rule() + ": " + each.found())
                .toList();
    }

    @Test
    void aKernelOfItsOwnTileMayDoAllButSpill() {
        assertEquals(List.of(), broken(Variants.amd(ALONE, AmdText.kernel("lstm_step", 64, 0))));
        assertEquals(List.of("no spills: 2"), broken(Variants.amd(ALONE, AmdText.kernel("lstm_step", 64, 2))));
    }

    @Test
    void aTiledProductKeepsAllOfThem() {
        KernelVariant tiled = Variants.tiled("lstm_step_tiled", 128, 128);
        List<String> found = broken(
                Variants.amd(tiled, AmdText.kernel("lstm_step_tiled", 200, 0).replace("ds_read_b128", "ds_read2_b32")));
        assertEquals(4, found.size(), found.toString());
        assertTrue(found.get(0).startsWith("no scratch memory: 16"), found.toString());
        assertTrue(found.get(1).startsWith("fma_share of 0.85 or more: 0.71"), found.toString());
        assertTrue(found.get(2).endsWith("from local memory in the inner loop: 8"), found.toString());
        assertTrue(found.get(3).startsWith("a predicted 0.7 of the peak or more"), found.toString());
    }

    @Test
    void ofSeveralTilesTheBestCounts() {
        String slow = AmdText.kernel("lstm_step_tiled", 200, 0).replace("size: 16\n", "size: 0\n");
        String fast = AmdText.product("lstm_step_tiled", 400);
        AuditResult bad = Variants.amd(Variants.tiled("lstm_step_tiled", 8, 16), slow);
        AuditResult good = Variants.amd(Variants.tiled("lstm_step_tiled", 128, 128), fast);
        assertEquals(2, broken(bad).size(), broken(bad).toString());
        assertEquals(List.of(), broken(good));
        assertEquals(List.of("fma_share of 0.85 or more: 0.71"), broken(bad, good));
    }

    @Test
    void aCellMoves28Bytes() {
        KernelVariant cell = new KernelVariant("lstm_cell", "1x4", List.of(), "", 0, 0, 1, 4);
        assertEquals(List.of("28 bytes a cell: 3.0"), broken(Variants.amd(cell, AmdText.kernel("lstm_cell", 32, 0))));
    }
}
