package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
        assertEquals(
                List.of(
                        "no scratch memory: 16 bytes",
                        "fma_share of 0.9 or more: 0.71",
                        "issue_share of 0.8 or more: 0.45",
                        "loads of 16 bytes from local memory in the inner loop: 8",
                        "1.25 bytes or less of local memory for each multiply-add: 1.60",
                        "no loads from global memory in the inner loop: 1×global_load_dwordx4"),
                found);
        assertEquals(List.of(), broken(Variants.amd(tiled, AmdText.product("lstm_step_tiled", 400))));
    }

    @Test
    void everyTileCounts() {
        String slow = AmdText.kernel("lstm_step_tiled", 200, 0).replace("size: 16\n", "size: 0\n");
        String fast = AmdText.product("lstm_step_tiled", 400);
        AuditResult bad = Variants.amd(Variants.tiled("lstm_step_tiled", 8, 16), slow);
        AuditResult good = Variants.amd(Variants.tiled("lstm_step_tiled", 128, 128), fast);
        assertEquals(4, broken(bad, good).size(), broken(bad, good).toString());
        assertEquals(List.of(), broken(good));
    }

    @Test
    void registersOfATiledProductLeaveRoomForTwoWaves() {
        KernelVariant tiled = Variants.tiled("lstm_step_tiled", 128, 128);
        String many = packed(400).replace(".vgpr_count:     24", ".vgpr_count:     260");
        assertEquals(
                List.of("registers for two waves of a SIMD or more: 1"),
                broken(Variants.amd(tiled, Target.named("gfx90a"), many)));
        String one = AmdText.product("lstm_step_tiled", 400).replace(".vgpr_count:     24", ".vgpr_count:     130");
        assertEquals(List.of(), broken(Variants.amd(tiled, one)));
    }

    @Test
    void multiplyAddsOfATiledProductArePackedWhereTheyCanBe() {
        KernelVariant tiled = Variants.tiled("lstm_step_tiled", 128, 128);
        AuditResult apart = Variants.amd(tiled, Target.named("gfx90a"), AmdText.product("lstm_step_tiled", 400));
        assertEquals(List.of("packed multiply-adds in the inner loop: 404 in 403 instructions"), broken(apart));
        assertEquals(List.of(), broken(Variants.amd(tiled, Target.named("gfx942"), packed(400))));
    }

    /** A product whose multiply-adds are all packed. */
    private static String packed(int instructions) {
        return AmdText.product("lstm_step_tiled", instructions)
                .replaceAll("v_fma_f32 v(\\d+), v4, v9, v\\d+", "v_pk_fma_f32 v[$1:$1], v[4:5], v[8:9], v[$1:$1]")
                .replaceAll("v_fmac_f32_e32 .*\n", "v_mov_b32_e32 v20, v4\n");
    }

    @Test
    void aNarrowProductKeepsItsOwn() {
        KernelVariant narrow = PtxText.variant("lstm_step_narrow");
        assertEquals(List.of(), broken(Variants.amd(narrow, AmdText.product("lstm_step_narrow", 0))));
        assertEquals(
                List.of(
                        "no scratch memory: 16 bytes",
                        "no loads from global memory in the inner loop: 1×global_load_dwordx4"),
                broken(Variants.amd(narrow, AmdText.kernel("lstm_step_narrow", 60, 0))));
        assertEquals(
                List.of("registers for two waves of a SIMD or more: 1"),
                broken(Variants.amd(
                        narrow,
                        Target.named("gfx90a"),
                        AmdText.product("lstm_step_narrow", 0)
                                .replace(".vgpr_count:     24", ".vgpr_count:     260"))));
        assertEquals(
                List.of("loads of 16 bytes from local memory in the inner loop: 4"),
                broken(Variants.amd(
                        narrow, AmdText.product("lstm_step_narrow", 0).replace("ds_read_b128", "ds_read_b32"))));
    }

    /** The weights of a persistent product are on the chip, so that only x is loaded. */
    @Test
    void aPersistentProductKeepsItsOwn() {
        String kernel = "lstm_sequence_persistent";
        KernelVariant persistent = PtxText.variant(kernel);
        assertEquals(List.of(), broken(Variants.amd(persistent, AmdText.product(kernel, 0))));
        assertEquals(
                List.of(
                        "no scratch memory: 16 bytes",
                        "no loads from global memory in the inner loop: 1×global_load_dwordx4"),
                broken(Variants.amd(persistent, AmdText.kernel(kernel, 60, 0))));
        assertEquals(List.of(), broken(PtxText.result(persistent, PtxText.staged(kernel, NEIGHBORS, SCALAR))));
        assertEquals(
                List.of("1.1 sectors or less for each one that is needed: 2.00 (1×16 B stride 64)"),
                broken(PtxText.result(persistent, PtxText.staged(kernel, APART, VECTOR))));
    }

    private static final String SCALAR = "ld.global.nc.f32 %f5, [%rd1]";

    private static final String NEIGHBORS = "mul.wide.u32 %rd3, %r1, 16;\n\tadd.s64 %rd2, %rd1, %rd3;",
            APART = "mul.wide.u32 %rd3, %r1, 64;\n\tadd.s64 %rd2, %rd1, %rd3;",
            VECTOR = "ld.global.nc.v4.f32 {%f5, %f6, %f7, %f8}, [%rd2]",
            SCALARS =
                    String.join(
                            ";\n\t",
                            "ld.global.nc.f32 %f5, [%rd2]",
                            "ld.global.nc.f32 %f6, [%rd2+4]",
                            "ld.global.nc.f32 %f7, [%rd2+8]",
                            "ld.global.nc.f32 %f8, [%rd2+12]");

    /** A work-item loads x as a vector, or as scalars where rows aren't aligned, and then its weights. */
    @Test
    void aNarrowProductLoadsItsWeightsAsVectorsSideBySide() {
        KernelVariant narrow = PtxText.variant("lstm_step_narrow");
        String x = VECTOR + ";\n\t" + SCALARS.replace("ld.", "@!%p0 ld.") + ";\n\t";
        String setup = "setp.eq.s32 %p0, 0, 0;\n\t";
        assertEquals(
                List.of(),
                broken(PtxText.result(narrow, PtxText.staged("lstm_step_narrow", setup + NEIGHBORS, x + VECTOR))));
        assertEquals(
                List.of(
                        "a 16 B share of more than 0.5: 0.33",
                        "1.1 sectors or less for each one that is needed: 2.50 (1×16 B coalesced, 4×4 B stride 16)"),
                broken(PtxText.result(narrow, PtxText.staged("lstm_step_narrow", setup + NEIGHBORS, x + SCALARS))));
        assertEquals(
                List.of("1.1 sectors or less for each one that is needed: 2.00 (2×16 B stride 64)"),
                broken(PtxText.result(narrow, PtxText.staged("lstm_step_narrow", setup + APART, x + VECTOR))));
    }

    /** The loads of the inner loop are those of the weights. */
    @Test
    void aSequenceLoadsItsWeightsAsVectorsSideBySide() {
        String kernel = "lstm_sequence_tiled";
        KernelVariant sequence = PtxText.variant(kernel);
        assertEquals(List.of(), broken(PtxText.result(sequence, PtxText.direct(kernel, NEIGHBORS, VECTOR))));
        assertEquals(
                List.of(
                        "loads of 16 bytes from global memory in the inner loop: 4",
                        "1.1 sectors or less in the inner loop for each one that is needed: 8.00 (4×4 B stride 64)"),
                broken(PtxText.result(sequence, PtxText.direct(kernel, APART, SCALARS))));
        assertEquals(
                List.of("1.1 sectors or less in the inner loop for each one that is needed: 2.00 (1×16 B stride 64)"),
                broken(PtxText.result(sequence, PtxText.direct(kernel, APART, VECTOR))));
        assertEquals(
                List.of("no scratch memory: 16 bytes"), broken(Variants.amd(sequence, AmdText.kernel(kernel, 60, 0))));
        assertEquals(
                List.of("loads of 16 bytes from global memory in the inner loop: 4"),
                broken(Variants.amd(
                        sequence,
                        AmdText.withoutScratch(kernel, 60).replaceFirst("global_load_dwordx4", "global_load_dword"))));
        assertEquals(
                List.of("registers for two waves of a SIMD or more: 1"),
                broken(Variants.amd(sequence, Target.named("gfx90a"), AmdText.withoutScratch(kernel, 260))));
    }

    @Test
    void aCellMoves28Bytes() {
        KernelVariant cell = new KernelVariant("lstm_cell", "1x4", List.of(), "", 0, 0, 1, 4);
        assertEquals(List.of("28 bytes a cell: 3.0"), broken(Variants.amd(cell, AmdText.kernel("lstm_cell", 32, 0))));
    }
}
