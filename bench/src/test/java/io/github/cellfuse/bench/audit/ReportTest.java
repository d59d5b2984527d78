package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final KernelVariant TILED = Variants.tiled("lstm_step_tiled", 128, 128);

    private static final AuditResult RESULT = Variants.amd(TILED, AmdText.kernel("lstm_step_tiled", 60, 0));

    private static Audit audit(String compiler, Optional<String> assembler) {
        return new Audit(
                compiler,
                assembler,
                List.of(RESULT, nvidia(assembler.isPresent())),
                Optional.of(Map.of(RESULT.variant(), Optional.of("bad block"))));
    }

    /** A result for NVIDIA, with a listing of AMD. Only the assembler knows the 77 registers. */
    private static AuditResult nvidia(boolean assembled) {
        KernelCode code = AmdAssembly.parse(AmdText.kernel("lstm_step_tiled", 60, 0), "lstm_step_tiled");
        Resources listed = new Resources(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), 0, 512);
        Resources report =
                new Resources(OptionalInt.of(77), OptionalInt.empty(), OptionalInt.of(0), OptionalInt.empty(), 0, 512);
        return AuditResult.of(
                TILED,
                Target.named("sm_80"),
                new Compiled(
                        new KernelCode(code.flow(), listed),
                        assembled ? Optional.of(report) : Optional.empty(),
                        Optional.empty()));
    }

    @Test
    void jsonHasWhatIsKnown() {
        JsonObject document = JsonParser.parseString(JsonReport.text(audit("19.1.7", Optional.empty())))
                .getAsJsonObject();
        JsonObject result = document.getAsJsonArray("results").get(0).getAsJsonObject();
        assertEquals("lstm_step_tiled", result.get("kernel").getAsString());
        assertEquals("fused 128x128", result.get("variant").getAsString());
        assertEquals("gfx906", result.get("target").getAsString());
        assertEquals(60, result.get("registers").getAsInt());
        assertEquals(0, result.get("spills").getAsInt());
        assertEquals(16, result.get("scratch_bytes").getAsInt());
        assertEquals(1024, result.get("local_bytes").getAsInt());
        assertEquals(4, result.get("waves").getAsInt());
        assertEquals(5.0 / 7, result.get("fma_share").getAsDouble(), 1e-9);
        assertEquals(5.0 / 11, result.get("issue_share").getAsDouble(), 1e-9);
        assertEquals(16, result.get("loop_local_bytes").getAsInt());
        assertEquals(16, result.get("narrowest_local_load").getAsInt());
        assertTrue(document.get("ptxas").isJsonNull());
        assertEquals(
                "bad block",
                document.getAsJsonObject("spirv")
                        .get("lstm_step_tiled (fused 128x128)")
                        .getAsString());
        // on gfx906 scratch memory and four rules about the loop, on sm_80 the four, and SPIR-V
        assertEquals(10, document.getAsJsonArray("broken").size());
    }

    @Test
    void aPageIsComparedAsFarAsTheToolsAreTheSame() {
        String page = new MarkdownReport(audit("19.1.7", Optional.of("V13.0.88"))).page();
        MarkdownReport same = new MarkdownReport(audit("19.1.7", Optional.of("V13.0.88")));
        MarkdownReport without = new MarkdownReport(audit("19.1.7", Optional.empty()));
        MarkdownReport other = new MarkdownReport(audit("18.1.0", Optional.empty()));
        assertTrue(same.isSame(page));
        assertTrue(without.isSame(page));
        assertFalse(other.isComparable(page));

        for (String part : List.of("## gfx906", "## sm_80")) {
            String stale = page.replaceFirst("(?s)(" + part + ".*?)\\| 0.71 ", "$1| 0.72 ");
            assertFalse(same.isSame(stale), part);
            assertFalse(without.isSame(stale), part);
        }
        String staleOfAmd = page.replace("| 60 ", "| 61 ");
        assertFalse(same.isSame(staleOfAmd));
        assertFalse(without.isSame(staleOfAmd));
        String staleAfterwards = page.replace("| 77 ", "| 78 ");
        assertFalse(same.isSame(staleAfterwards));
        assertTrue(without.isSame(staleAfterwards));
        assertTrue(new MarkdownReport(audit("19.1.7", Optional.of("V14"))).isSame(staleAfterwards));
        String otherSpirv = page.replace("bad block", "another block");
        assertFalse(same.isSame(otherSpirv));
        Audit noTranslator = new Audit("19.1.7", Optional.empty(), List.of(RESULT, nvidia(false)), Optional.empty());
        assertTrue(new MarkdownReport(noTranslator).isSame(otherSpirv));
    }

    @Test
    void thePageNamesLimitsAndTargets() {
        String page = new MarkdownReport(audit("19.1.7", Optional.empty())).page();
        Limit.ALL.forEach(limit -> assertTrue(page.contains(limit.rule()), limit.rule()));
        assertTrue(page.contains("\n## gfx906: Radeon VII, MI50\n"), page);
        assertTrue(page.contains("\n## sm_80: A100\n"), page);
        assertFalse(page.contains("{"), "nothing replaced a placeholder of the introduction");
    }

    @Test
    void aRowHasTheRangeOfAllVariants() {
        AuditResult other =
                Variants.amd(Variants.tiled("lstm_step_tiled", 64, 128), AmdText.product("lstm_step_tiled", 400));
        Audit both = new Audit("19.1.7", Optional.empty(), List.of(RESULT, other), Optional.empty());
        String row = new MarkdownReport(both)
                .tables()
                .lines()
                .filter(line -> line.startsWith("| `lstm_step_tiled`"))
                .findFirst()
                .orElseThrow();
        assertEquals(
                "`lstm_step_tiled`,2,24–60,4–10,0,0–16,1024,0.71–1.00,0.45–0.99,1.00–1.25,0.04–3.20,16,–",
                String.join(",", row.replaceAll("^\\| *| *\\|$", "").split(" *\\| *")));
    }

    /** A narrow tile whose stage loads neighboring vectors. */
    private static AuditResult staged() {
        String kernel = "lstm_step_narrow";
        String text = PtxText.staged(
                kernel,
                "mul.wide.u32 %rd3, %r1, 16;\n\tadd.s64 %rd2, %rd1, %rd3;",
                "ld.global.nc.v4.f32 {%f5, %f6, %f7, %f8}, [%rd2]");
        return PtxText.result(PtxText.variant(kernel), text);
    }

    @Test
    void aVariantHasARowInEachTableOfLoops() {
        AuditResult amd = Variants.amd(PtxText.variant("lstm_step_narrow"), AmdText.product("lstm_step_narrow", 0));
        Audit both = new Audit("19.1.7", Optional.empty(), List.of(amd, staged(), RESULT), Optional.empty());
        List<String> rows = new MarkdownReport(both)
                .tables()
                .lines()
                .filter(line -> line.startsWith("| `lstm_step_narrow` 1x1"))
                .map(row -> String.join(",", row.replaceAll("^\\| *| *\\|$", "").split(" *\\| *")))
                .toList();
        assertEquals(
                List.of(
                        // 4 multiply-adds in 3 instructions, for 4 k
                        "`lstm_step_narrow` 1x1,0.8:0.3:0:0.5:0.5,1:1:0:2:1",
                        "`lstm_step_narrow` 1x1,0:0:1:0:1,0:0:1:2:2",
                        "`lstm_step_narrow` 1x1,1.00,16,1:1:0.3:2.7:1.7,–,–,1×16 B coalesced,1.00"),
                rows);
    }

    @Test
    void jsonHasTheLoops() {
        Audit audit = new Audit("19.1.7", Optional.empty(), List.of(staged(), RESULT), Optional.empty());
        var results =
                JsonParser.parseString(JsonReport.text(audit)).getAsJsonObject().getAsJsonArray("results");
        JsonObject run = results.get(0).getAsJsonObject();
        assertEquals(2, run.getAsJsonObject("loop_of_k").get("vector").getAsDouble());
        assertEquals(1, run.getAsJsonObject("around_loop").get("global_loads").getAsDouble());
        assertEquals(
                1 / 3.0,
                run.getAsJsonObject("executed_of_k").get("global_loads").getAsDouble(),
                1e-9);
        assertEquals(1, run.get("wide_global_share").getAsDouble());
        assertEquals(16, run.get("narrowest_global_load").getAsInt());
        assertEquals("1×16 B coalesced", run.get("around_loop_loads").getAsString());
        assertEquals(1, run.get("around_loop_sectors_per_needed").getAsDouble());
        assertTrue(run.get("loop_sectors_per_needed").isJsonNull());
        JsonObject listed = results.get(1).getAsJsonObject();
        assertTrue(listed.get("executed_of_k").isJsonNull());
        assertTrue(listed.get("around_loop").isJsonNull());
    }
}
