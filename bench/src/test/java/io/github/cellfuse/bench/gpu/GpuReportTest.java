package io.github.cellfuse.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.peers.Effort;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GpuReportTest {
    private static final Shape SHAPE = new Shape(64, 256, 512, 512);

    /** In the second round the GPU was half as fast for everybody; TF32 is ten times as fast as strict float32. */
    private static final GpuResult FULL = new GpuResult(
            SHAPE,
            new double[] {0.001, 0.002, 0.001},
            new double[] {0.003, 0.004, 0.003},
            Map.of(
                    GpuPeer.TORCH_FP32, new double[] {0.0015, 0.003, 0.0015},
                    GpuPeer.TORCH_TF32, new double[] {0.00015, 0.0003, 0.00015}),
            Map.of(GpuPeer.TORCH_FP32, 1e-7, GpuPeer.TORCH_TF32, 1e-4),
            Map.of(),
            "fused");

    private static final GpuResult WRONG = new GpuResult(
            SHAPE,
            new double[] {0.001},
            new double[] {0.002},
            Map.of(GpuPeer.TORCH_TF32, new double[] {0.0001}),
            Map.of(GpuPeer.TORCH_FP32, Double.POSITIVE_INFINITY),
            Map.of("torch_fp32", "torch float32 and CellFuse differ"),
            "fused");

    private static final GpuResult WITHOUT_OURS = new GpuResult(
            SHAPE,
            new double[0],
            new double[0],
            Map.of(GpuPeer.TORCH_FP32, new double[] {0.001}),
            Map.of(GpuPeer.TORCH_FP32, 0.0),
            Map.of(),
            "");

    @Test
    void theRatioIsToStrictFloat32AndPaired() {
        assertEquals(1.5, FULL.ratio().orElseThrow().median(), 1e-12);
        assertEquals(1.5, FULL.ratio().orElseThrow().lower(), 1e-12);
        assertEquals(1.5, FULL.ratio().orElseThrow().upper(), 1e-12);
        assertTrue(WITHOUT_OURS.ratio().isEmpty());
    }

    @Test
    void nothingLessPreciseStandsInForFloat32() {
        assertTrue(WRONG.ratio().isEmpty());
        assertEquals(
                "no ratio: that takes CellFuse and torch's float32",
                report(WRONG).summary());
        assertEquals("geometric mean of the ratios: 1.50", report(FULL, WRONG).summary());
    }

    @Test
    void theTableIsAlignedAndMarksWhatIsLessPrecise() {
        assertTrue(GpuReport.header().contains(" TF32* "), GpuReport.header());
        assertTrue(GpuReport.header().contains(" float16* "), GpuReport.header());
        assertEquals(
                GpuReport.header().length(),
                GpuReport.line(FULL).stripTrailing().length());
        assertTrue(
                GpuReport.line(FULL)
                        .matches("64,256,512,512 +1.000 ms +3.000 ms +1.500 ms +- +0.150 ms +- +- +1.50 .*"),
                GpuReport.line(FULL));
    }

    @Test
    void failuresStandBelowTheirShape() {
        assertEquals(
                "  torch float32 and CellFuse differ",
                GpuReport.line(WRONG).lines().skip(1).findFirst().orElseThrow());
        assertTrue(report(WRONG).hasFailures());
        assertFalse(report(FULL, WITHOUT_OURS).hasFailures());
    }

    @Test
    void theJsonHasEveryField() {
        JsonObject root =
                JsonParser.parseString(report(FULL, WRONG, WITHOUT_OURS).json()).getAsJsonObject();
        assertEquals("a machine", root.get("machine").getAsString());
        assertEquals("a GPU", root.get("device").getAsString());
        assertEquals(3, root.get("rounds").getAsInt());
        assertEquals(
                "no torch", root.getAsJsonObject("missing").get("torch_fp16").getAsString());
        assertEquals(
                1e-4,
                root.getAsJsonObject("allowed_difference").get("torch_fp32").getAsDouble());
        JsonObject row = root.getAsJsonArray("results").get(0).getAsJsonObject();
        assertEquals(64, row.get("t").getAsInt());
        assertEquals(256, row.get("n").getAsInt());
        assertEquals(512, row.get("i").getAsInt());
        assertEquals(512, row.get("h").getAsInt());
        assertEquals(0.001, row.get("ours_device_s").getAsDouble());
        assertEquals(0.003, row.get("ours_wall_s").getAsDouble());
        assertEquals(0.0015, row.get("torch_fp32_s").getAsDouble());
        assertEquals(0.00015, row.get("torch_tf32_s").getAsDouble());
        assertTrue(row.get("torch_graph_s").isJsonNull());
        assertTrue(row.get("ort_cuda_s").isJsonNull());
        assertEquals(1.5, row.get("ratio_fp32").getAsDouble(), 1e-12);
        assertEquals(
                3, row.getAsJsonObject("rounds").getAsJsonArray("ours_wall_s").size());
        JsonObject wrong = root.getAsJsonArray("results").get(1).getAsJsonObject();
        assertTrue(wrong.get("ratio_fp32").isJsonNull());
        assertTrue(wrong.getAsJsonObject("largest_difference").get("torch_fp32").isJsonNull());
        assertEquals(
                "torch float32 and CellFuse differ",
                wrong.getAsJsonObject("failures").get("torch_fp32").getAsString());
        JsonObject without = root.getAsJsonArray("results").get(2).getAsJsonObject();
        assertTrue(without.get("ours_device_s").isJsonNull());
    }

    private static GpuReport report(GpuResult... results) {
        return new GpuReport(
                "a machine",
                new Effort(3, 0.1, 0.5),
                Map.of(GpuReport.OURS, "a GPU"),
                Map.of("torch_fp16", "no torch"),
                List.of(results));
    }
}
