package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.bench.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContestReportTest {
    private static final Shape SHAPE = new Shape(64, 256, 512, 512);
    /** In the second round the machine was half as fast for everybody: the ratios don't notice. */
    private static final ShapeResult FULL = new ShapeResult(
            Task.LAYER,
            SHAPE,
            Map.of(
                    Contender.OURS, new double[] {1, 2, 1},
                    Contender.ONEDNN, new double[] {1.5, 3, 1.5},
                    Contender.ORT, new double[] {1.25, 2.5, 1.25},
                    Contender.PYTORCH, new double[] {4, 8, 4}),
            new double[] {2 * SHAPE.flops(), SHAPE.flops(), 2 * SHAPE.flops()},
            Map.of(Contender.ORT, Waiting.SLEEP),
            Map.of(Contender.ORT, 1e-7),
            0.01,
            "fused");

    private static final ShapeResult ALONE = new ShapeResult(
            Task.LAYER, SHAPE, Map.of(Contender.ORT, new double[] {1, 3}), new double[2], Map.of(), Map.of(), 0, "");

    @Test
    void theRatioIsToTheFastestPeerAndPaired() {
        ShapeResult.Ratio ratio = FULL.ratio().orElseThrow();
        assertEquals(new ShapeResult.Ratio(Contender.ORT, 1.25, 1.25, 1.25), ratio);
        assertEquals(0.5, FULL.ofPeak().orElseThrow());
        assertEquals(1, FULL.median(Contender.OURS).orElseThrow());
    }

    @Test
    void withoutOursThereIsNoRatio() {
        assertTrue(ALONE.ratio().isEmpty());
        assertTrue(ALONE.ofPeak().isEmpty());
        assertEquals(2, ALONE.median(Contender.ORT).orElseThrow());
    }

    @Test
    void withoutAPeakThereIsNoShare() {
        ShapeResult onJava = new ShapeResult(
                Task.LAYER,
                SHAPE,
                Map.of(Contender.OURS, new double[] {1}),
                new double[] {Double.NaN},
                Map.of(),
                Map.of(),
                0,
                "");
        assertTrue(onJava.ofPeak().isEmpty());
        assertTrue(onJava.ratio().isEmpty());
        assertTrue(report(onJava).json().contains("\"of_fma_peak\": null"));
    }

    @Test
    void aPeerThatDiffersHasNoTime() {
        ShapeResult wrong = new ShapeResult(
                Task.LAYER,
                SHAPE,
                Map.of(Contender.OURS, new double[] {1}, Contender.ORT, new double[] {2}),
                new double[] {1e9},
                Map.of(),
                Map.of(Contender.ORT, 1e-7, Contender.PYTORCH, 0.13),
                0,
                "fused");
        String line = ContestReport.line(wrong);
        assertTrue(line.matches(".* 1000\\.000 ms +- +2000\\.000 ms +differs .*"), line);
        assertTrue(
                report(wrong).json().contains("\"pytorch\": 0.13"),
                report(wrong).json());
    }

    @Test
    void theJsonHasEveryField() {
        JsonObject root = JsonParser.parseString(report(FULL).json()).getAsJsonObject();
        assertEquals("a machine", root.get("machine").getAsString());
        assertEquals(2, root.get("threads").getAsInt());
        assertEquals(3, root.get("rounds").getAsInt());
        assertEquals("silero_vad_v5.onnx", root.get("voice_model").getAsString());
        assertEquals("1.2.3", root.getAsJsonObject("versions").get("ort").getAsString());
        assertEquals(
                "no library", root.getAsJsonObject("missing").get("pytorch").getAsString());
        JsonObject row = root.getAsJsonArray("results").get(0).getAsJsonObject();
        assertEquals(64, row.get("t").getAsInt());
        assertEquals(256, row.get("n").getAsInt());
        assertEquals(512, row.get("i").getAsInt());
        assertEquals(512, row.get("h").getAsInt());
        assertEquals(1, row.get("ours_s").getAsDouble());
        assertEquals(1.5, row.get("onednn_s").getAsDouble());
        assertEquals(1.25, row.get("ort_s").getAsDouble());
        assertEquals(4, row.get("pytorch_s").getAsDouble());
        assertEquals(1.25, row.get("ratio_best").getAsDouble());
        assertEquals(0.5, row.get("of_fma_peak").getAsDouble());
        assertEquals("ort", row.get("best_peer").getAsString());
        assertEquals("sleep", row.getAsJsonObject("waiting").get("ort").getAsString());
        assertEquals(3, row.getAsJsonObject("rounds").getAsJsonArray("ours_s").size());
    }

    @Test
    void whatIsMissingIsNullInJsonAndADashInTheTable() {
        JsonObject row = JsonParser.parseString(report(ALONE).json())
                .getAsJsonObject()
                .getAsJsonArray("results")
                .get(0)
                .getAsJsonObject();
        assertTrue(row.get("ours_s").isJsonNull());
        assertTrue(row.get("ratio_best").isJsonNull());
        assertTrue(
                ContestReport.line(ALONE).matches("64,256,512,512 +- +- +2000.000 ms +- +- +- +-"),
                ContestReport.line(ALONE));
    }

    @Test
    void theTablesColumnsAreAligned() {
        assertEquals(ContestReport.header().length(), ContestReport.line(FULL).length());
        assertEquals(ContestReport.header().length(), ContestReport.line(ALONE).length());
        assertTrue(report(FULL).summary().startsWith("geometric mean of the layers' ratios: 1.25"));
    }

    @Test
    void graphsAreNamedAndLeftOutOfTheMean() {
        ShapeResult voice = ofTask(Task.VOICE, Voice.shape("64,1000"));
        ShapeResult tagger = ofTask(Task.TAGGER, new Shape(32, 256, Tagger.FEATURES, Tagger.UNITS));
        assertTrue(ContestReport.line(voice).matches("voice 64,1000 +1000.000 ms .*"), ContestReport.line(voice));
        assertTrue(ContestReport.line(tagger).matches("tagger 32,256 +1000.000 ms .*"), ContestReport.line(tagger));
        assertEquals(ContestReport.header().length(), ContestReport.line(voice).length());
        assertTrue(report(voice).summary().startsWith("waiting"), report(voice).summary());
        JsonObject row = JsonParser.parseString(report(voice).json())
                .getAsJsonObject()
                .getAsJsonArray("results")
                .get(0)
                .getAsJsonObject();
        assertEquals("voice", row.get("task").getAsString());
        assertEquals(1000, row.get("t").getAsInt());
        assertEquals(64, row.get("n").getAsInt());
        assertEquals(3, row.get("ratio_best").getAsDouble());
    }

    private static ShapeResult ofTask(Task task, Shape shape) {
        Map<Contender, double[]> seconds = Map.of(Contender.OURS, new double[] {1}, Contender.ORT, new double[] {3});
        return new ShapeResult(task, shape, seconds, new double[] {Double.NaN}, Map.of(), Map.of(), 0, "");
    }

    @Test
    void theFileAppearsWhole(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("results.json");
        report(FULL).write(file);
        assertTrue(JsonParser.parseString(Files.readString(file)).isJsonObject());
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        Path nowhere = folder.resolve("missing").resolve("results.json");
        assertThrows(CellFuseException.class, () -> report(FULL).write(nowhere));
        assertFalse(Files.exists(nowhere));
    }

    private static ContestReport report(ShapeResult result) {
        return new ContestReport(
                "a machine",
                2,
                new Effort(3, 0.1, 0.5),
                Optional.of(Path.of("silero_vad_v5.onnx")),
                Map.of(Contender.ORT, "1.2.3"),
                Map.of(Contender.PYTORCH, "no library"),
                List.of(result));
    }
}
