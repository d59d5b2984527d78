package io.github.cellfuse.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.DeviceReport;
import io.github.cellfuse.bench.Dimensions;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.bench.Limits;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.Timing;
import io.github.cellfuse.bench.Work;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    @TempDir
    private Path folder;

    @Test
    void ownShapesOnOpenClAsTableJsonAndPage() throws IOException {
        Path json = folder.resolve("new.json"), html = folder.resolve("new.html");
        Object[] first = {
            "bench", "--device", "opencl", "--rounds", 1, "--shape", "2,3,4,5", "--json", json, "--html", html
        };
        String out = Cli.run(first).assertDone().out();
        assertTrue(out.startsWith("device opencl:") && out.contains("multiply-add peak"), out);
        assertEquals(
                5,
                out.lines()
                        .filter(line -> line.matches("shape +run +.* 2,3,4,5 .*"))
                        .count(),
                out);

        JsonObject document = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        JsonObject device = document.getAsJsonObject("device");
        for (String key : List.of("fma_peak_gflops", "copy_gbytes_per_s", "launch_us")) {
            assertTrue(device.get(key).getAsDouble() > 0, key);
        }
        JsonObject result = document.getAsJsonArray("results").get(0).getAsJsonObject();
        assertEquals("separate", result.get("plan").getAsString());
        assertEquals(3, result.get("n").getAsInt());
        for (String key :
                List.of("seconds", "wall_seconds", "device_seconds", "gflops", "gbytes_per_s", "of_roofline")) {
            assertTrue(result.get(key).getAsDouble() > 0, key);
        }

        // Once more, beside the first run; nothing is replaced unasked.
        Cli.run(first).assertError(2, "new.json", "--overwrite");
        String again = Cli.run(
                        "bench",
                        "--device",
                        "opencl",
                        "--rounds",
                        1,
                        "--shape",
                        "2,3,4,5",
                        "--compare",
                        json,
                        "--html",
                        html,
                        "--overwrite")
                .assertDone()
                .out();
        assertTrue(again.contains("speedup"), again);
        assertTrue(again.contains("new.json: 5 results matched, 0 only in this run, 0 only in that file"), again);
        assertTrue(Files.readString(html).contains("\"speedup\":"));
    }

    @Test
    void ownShapesOnJava() {
        Path json = folder.resolve("java.json");
        String out = Cli.run(
                        "bench",
                        "--device",
                        "java",
                        "--rounds",
                        1,
                        "--shape",
                        "2,3,4,5",
                        "--shape",
                        "1,1,1,1",
                        "--json",
                        json)
                .assertDone()
                .out();
        assertTrue(out.contains("no roofline"), out);
        assertEquals(2, out.lines().filter(line -> line.startsWith("shape")).count(), out);
        BenchFile read = BenchFile.read(json);
        assertEquals(Dimensions.of(1, 1, 1, 1), read.results().get(1).dimensions());
        assertEquals("java", read.results().get(1).plan());
    }

    @Test
    void jsonReadsBackAsItWasWritten() throws IOException {
        Path file = folder.resolve("old.json");
        BenchDocument document = document("a device");
        Files.writeString(file, Json.text(BenchJson.of(document)));
        BenchFile read = BenchFile.read(file);
        assertEquals("a device", read.device());
        EarlierResults comparison = EarlierResults.of(document.report().results(), read.results());
        assertEquals(document.report().results().size(), comparison.pairs().size());
        comparison.pairs().forEach(pair -> assertEquals(1, pair.speedup()));
        assertTrue(comparison.pairs().get(1).isDisturbed()
                && !comparison.pairs().get(0).isDisturbed());
        // From before there was a choice.
        Files.writeString(file, Files.readString(file).replaceAll("\"weights\": \"[a-z0-9]+\",\\R", ""));
        Dimensions floats = document.report().results().get(1).dimensions().withWeights(WeightPrecision.F32);
        assertEquals(floats, BenchFile.read(file).results().get(1).dimensions());
    }

    @Test
    void theTableSaysWhatCantBeTrusted() throws IOException {
        Path file = folder.resolve("old.json");
        BenchDocument first = document("a device");
        Files.writeString(file, Json.text(BenchJson.of(first)));
        BenchFile old = BenchFile.read(file);
        EarlierResults comparison = EarlierResults.of(first.report().results(), old.results());
        StringWriter table = new StringWriter();
        BenchDocument second = new BenchDocument(first.report(), 7, Optional.of(old), Optional.of(comparison));
        BenchTable.print(new PrintWriter(table, true), second);
        List<String> rows = table.toString().lines().skip(8).toList();
        assertTrue(rows.get(0).matches("cell +lstm_cell +- .* 1\\.000 +0\\.900 .* 0\\.80   1\\.00"), rows.get(0));
        assertTrue(rows.get(1).matches("lstm +run .* 2\\.000 +- .* not judged   busy: it was busy"), rows.get(1));
        assertEquals(
                "the machine was busy: 1 of 2 rows can't be trusted; measure again without other programs",
                rows.get(2));
    }

    @Test
    void thePageHoldsItsDataAndAsksForNothingElse() {
        String page = BenchHtml.page(document("</script><img src=http://x onerror=alert(1)>"));
        assertTrue(page.contains("Chart.js v4") && page.contains("\"kernel\":\"lstm_cell\""), "library and data");
        assertFalse(page.contains("/*chart.js*/") || page.contains("/*data*/") || page.contains("sourceMappingURL"));
        assertTrue(page.contains("default-src 'none'"));
        // A name can't leave the script that holds it.
        assertFalse(page.contains("<img"), "the device's name became markup");
        assertEquals(3, page.split("</script>", -1).length - 1);
        assertFalse(page.matches("(?s).*<(script|link|img|iframe)[^>]*\\s(src|href)\\s*=.*"), "a reference");
        assertFalse(page.matches("(?s).*(@import|url\\().*"), "a reference in the style");
    }

    private static BenchDocument document(String name) {
        DeviceInfo info = new DeviceInfo(
                Device.parse("opencl:0.0"), DeviceInfo.Kind.GPU, name, Tier.EXACT, Map.of("driver", "1.0"));
        Work work = new Work(211, 28);
        List<BenchResult> results = List.of(
                new BenchResult(
                        "cell",
                        "lstm_cell",
                        null,
                        null,
                        Dimensions.of(1, 8, 0, 9),
                        work,
                        new Timing(1e-3, 0.9e-3, 1e-3, 1e-3, 0.8, 7, List.of())),
                new BenchResult(
                        "lstm",
                        "run",
                        "fused",
                        "N",
                        new Dimensions(new Shape(2, 3, 4, 5), 2, 2, 1, true, WeightPrecision.BF16),
                        work,
                        new Timing(2e-3, Double.NaN, 2e-3, 2e-3, Double.NaN, 7, List.of("it was busy"))));
        DeviceReport device = new DeviceReport(info, new Limits(1e12, 1e11), 1e-6, 1e10, 1e10, 1 << 28);
        BenchReport report = new BenchReport(
                device, results, List.of(new BenchReport.Skipped("deepbench", "recurrence", "too long")));
        return new BenchDocument(report, 7, Optional.empty(), Optional.empty());
    }

    @Test
    void refusesAForeignOrDamagedComparison() throws IOException {
        String good = Json.text(BenchJson.of(document("a device")));
        refuses(
                good.replace("cellfuse-bench-1", "cellfuse-verify-1"),
                "format: expected \"cellfuse-bench-1\"",
                "found \"cellfuse-verify-1\"");
        refuses("{}", "format: expected a string, found nothing");
        refuses("[1]", "the document: expected an object, found [1]");
        refuses("", "the document: expected an object");
        refuses(good.substring(0, good.length() / 2), "expected JSON");
        refuses(good + "x", "expected");
        refuses(
                good.replace("\"seconds\": 0.001", "\"seconds\": -1"),
                "results[0].seconds: expected a number above 0, found -1");
        refuses(good.replace("\"n\": 3", "\"n\": 3.5"), "results[1].n: expected a whole number, found 3.5");
        refuses(good.replace("\"plan\": \"fused\"", "\"plan\": 7"), "results[1].plan: expected a string, found 7");
        refuses(
                good.replace("\"disturbed\": true", "\"disturbed\": 1"),
                "results[1].disturbed: expected true or false, found 1");
        refuses(
                good.replace("\"weights\": \"bf16\"", "\"weights\": \"f8\""),
                "results[1].weights: expected \"f32\", \"f16\" or \"bf16\", found \"f8\"");
        refuses(good.replace("\"results\": [", "\"others\": ["), "results: expected a list, found nothing");
        compare(folder.resolve("missing.json"), "missing.json", "no such file");
        compare(folder, "expected a file, found a folder");
        Files.write(folder.resolve("bytes.json"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        compare(folder.resolve("bytes.json"), "bytes.json", "UTF-8");
    }

    private void refuses(String text, Object... parts) throws IOException {
        Path file = folder.resolve("old.json");
        Files.writeString(file, text);
        compare(file, parts);
    }

    private static void compare(Path file, Object... parts) {
        Cli.run("bench", "--device", "java", "--shape", "2,3,4,5", "--compare", file)
                .assertError(2, parts);
    }

    @Test
    void refusesWhatIsWrong() {
        Cli.run("bench", "--weights", "f8").assertError(2, "--weights", "F32, F16, BF16", "'f8'");
        Cli.run("bench", "--rounds", 0).assertError(2, "--rounds", "at least 1", "found 0");
        Cli.run("bench", "--shape", "2,3,4").assertError(2, "shape", "T,N,I,H", "'2,3,4'");
        Cli.run("bench", "--shape", "2,3,4,0").assertError(2, "shape");
        Cli.run("bench", "--suite", "fast").assertError(2, "--suite: expected quick, cell", "found 'fast'");
        Cli.run("bench", "--suite", "cell", "--shape", "2,3,4,5")
                .assertError(2, "--suite and --shape exclude each other");
        Cli.run("bench", "--suite", "cell", "--device", "java").assertError(2, "cell", "OpenCL device", "java");
        Cli.run("bench", "--device", "reference").assertError(2, "--device", "found reference");
        Cli.run("bench", "--device", "opencl:97.3").assertError(2, "opencl:97.3", "expected");
        Cli.run("bench", "--json", folder.resolve("a.txt")).assertError(2, "a.txt", ".json");
        Cli.run("bench", "--html", folder.resolve("no/a.html")).assertError(2, "a.html", "doesn't exist");
        assertEquals(0, folder.toFile().list().length);
    }
}
