package io.github.cellfuse.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final AuditResult RESULT =
            Variants.amd(Variants.tiled("lstm_step_tiled", 128, 128), AmdText.kernel("lstm_step_tiled", 60, 0));

    private static Audit audit(String compiler, Optional<String> assembler) {
        return new Audit(
                compiler, assembler, List.of(RESULT), Optional.of(Map.of(RESULT.variant(), Optional.of("bad block"))));
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
        assertEquals(16, result.get("waves").getAsInt());
        assertEquals(5.0 / 7, result.get("fma_share").getAsDouble(), 1e-9);
        assertEquals(
                RESULT.prediction().orElseThrow().ofPeak(),
                result.get("predicted_of_peak").getAsDouble());
        assertTrue(document.get("ptxas").isJsonNull());
        assertEquals(
                "bad block",
                document.getAsJsonObject("spirv")
                        .get("lstm_step_tiled (fused 128x128)")
                        .getAsString());
        assertEquals(4, document.getAsJsonArray("broken").size());
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

        String stale = page.replace("| 0.71 ", "| 0.72 ");
        assertFalse(same.isSame(stale));
        assertFalse(without.isSame(stale));
        String staleAfterwards = page.replace("published ms", "published s");
        assertFalse(same.isSame(staleAfterwards));
        assertTrue(without.isSame(staleAfterwards));
        String otherSpirv = page.replace("bad block", "another block");
        assertFalse(same.isSame(otherSpirv));
        Audit noTranslator = new Audit("19.1.7", Optional.empty(), List.of(RESULT), Optional.empty());
        assertTrue(new MarkdownReport(noTranslator).isSame(otherSpirv));
    }

    @Test
    void thePageNamesLimitsAndConstants() {
        String page = new MarkdownReport(audit("19.1.7", Optional.empty())).page();
        Limit.ALL.forEach(limit -> assertTrue(page.contains(limit.rule()), limit.rule()));
        Target.ALL.forEach(target -> assertTrue(page.contains("| " + target + " "), target.name()));
        DeepBench.GPUS.forEach(gpu -> assertTrue(page.contains(gpu.source()), gpu.source()));
        assertFalse(page.contains("{"), "a place in the introduction that nothing fills");
    }
}
