package io.github.cellfuse.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.Tier;
import io.github.cellfuse.bench.BenchReport;
import io.github.cellfuse.bench.BenchResult;
import io.github.cellfuse.bench.DeviceReport;
import io.github.cellfuse.bench.Dimensions;
import io.github.cellfuse.bench.EarlierResults;
import io.github.cellfuse.bench.Limits;
import io.github.cellfuse.bench.Timing;
import io.github.cellfuse.bench.Work;
import io.github.cellfuse.cli.Json;
import io.github.cellfuse.cli.page.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The page of a benchmark, in a browser. */
class BenchPageTest {
    @TempDir
    private static Path folder;

    private static Path page;
    private static Browser browser;

    @BeforeAll
    static void open() throws IOException {
        browser = Browser.start();
        Path old = folder.resolve("old.json");
        Files.writeString(old, Json.text(BenchJson.of(document("a GPU", 2, Optional.empty()))));
        page = folder.resolve("bench.html");
        Files.writeString(page, BenchHtml.page(document("<b>GPU</b>", 1, Optional.of(BenchFile.read(old)))));
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    /** Kernels, and runs that grow in each of three directions; the kernels take {@code slower} times as long. */
    private static BenchDocument document(String name, double slower, Optional<BenchFile> old) {
        List<BenchResult> results = new ArrayList<>();
        int k = 0;
        for (String kernel : List.of("lstm_step", "lstm_sequence", "lstm_cell")) {
            double share = 0.3 + 0.2 * k++;
            Work work = new Work(1e9 * k, 3e8);
            Timing timing = timing(slower * 3e-3 / share, share, k == 1 && slower == 1);
            results.add(new BenchResult("cell", kernel, null, null, Dimensions.of(1, 8, 16, 64), work, timing));
        }
        for (int size : new int[] {16, 64, 256}) {
            for (String series : List.of("N", "T", "H")) {
                int n = series.equals("N") ? size : 32, t = series.equals("T") ? size : 32;
                int h = series.equals("H") ? size : 128;
                Work work = new Work(2.0 * t * n * 8 * h * h, 4.0 * 8 * h * h);
                Timing timing = timing(1e-4 + work.flops() * 1e-12 / Math.sqrt(slower * size / 64), 0.5, false);
                results.add(
                        new BenchResult("scaling", "run", "fused", series, Dimensions.of(t, n, h, h), work, timing));
            }
        }
        DeviceInfo info = new DeviceInfo(
                Device.parse("opencl:0.0"), DeviceInfo.Kind.GPU, name, Tier.EXACT, Map.of("driver", "1.0"));
        DeviceReport device = new DeviceReport(info, new Limits(1e12, 1e11), 1e-6, 1e10, 1e10, 1 << 28);
        BenchReport report = new BenchReport(
                device, results, List.of(new BenchReport.Skipped("deepbench", "recurrence", "too long")));
        return new BenchDocument(report, 7, old, old.map(file -> EarlierResults.of(report.results(), file.results())));
    }

    private static Timing timing(double seconds, double share, boolean busy) {
        List<String> disturbances = busy ? List.of("other programs used 45 % of the processor") : List.of();
        return new Timing(seconds, 0.9 * seconds, seconds, seconds, share, 7, disturbances);
    }

    @ParameterizedTest
    @EnumSource(Browser.View.class)
    void isDrawn(Browser.View view) throws IOException {
        browser.open(page, view);
        browser.screenshot("bench-" + view);
        // The roofline, growth in three sizes, and the comparison.
        browser.assertSound(5);
        assertEquals(
                view.isDark() ? "rgb(20, 24, 31)" : "rgb(255, 255, 255)",
                browser.text("getComputedStyle(document.body).backgroundColor"));
        String about = browser.text("byId('about').textContent");
        assertTrue(about.startsWith("<b>GPU</b> (opencl:0.0, gpu), driver 1.0."), about);
        assertEquals(13L, browser.js("byId('results').rows.length"));
        assertEquals(
                "deepbench recurrence too long",
                browser.text("Array.from(byId('skipped').rows[0].cells).map(c => c.innerText).join(' ')"));
    }

    @Test
    void theMouseShowsAResult() {
        browser.open(page, Browser.View.LIGHT);
        String run = browser.hover("#roofline", 0, 0);
        assertTrue(run.startsWith("scaling · run · fused · 32,16,128,128\n") && run.contains("GFLOP/s, "), run);
        String growth = browser.hover("#growth .plot:nth-child(3) canvas", 0, 2);
        assertTrue(growth.startsWith("scaling · run · fused · 32,32,256,256\n"), growth);
        String speedup = browser.hover("#comparison", 0, 1);
        assertTrue(speedup.startsWith("cell · lstm_sequence · 1,8,16,64\nspeedup 2.00\n"), speedup);
        browser.assertQuiet();
    }

    @Test
    void aDisturbedResultIsMarkedAndNotJudged() {
        browser.open(page, Browser.View.LIGHT);
        assertEquals(
                "The machine was busy: 1 of 12 results can't be trusted. Measure again without other programs.",
                browser.text("byId('disturbed').innerText"));
        String cells = "Array.from(byId('results').rows[%d].cells).map(c => c.innerText).slice(-2).join(' ')";
        assertEquals("not judged busy: other programs used 45 % of the processor", browser.text(cells.formatted(1)));
        assertEquals("2.00 ", browser.text(cells.formatted(2)));
        String fill = "Chart.getChart('%s').data.datasets[%d].backgroundColor[0]";
        assertEquals("#d55e0000", browser.text(fill.formatted("roofline", 1)));
        assertEquals("#009e73b0", browser.text(fill.formatted("roofline", 2)));
        assertTrue(browser.text(fill.formatted("comparison", 0)).equals(browser.text("color('--soft')")));
        assertTrue(browser.hover("#comparison", 0, 0).contains("busy: other programs used 45 %"));
        browser.assertQuiet();
    }

    @Test
    void plotsFollowTheColoursOfTheSystem() {
        browser.open(page, Browser.View.DARK);
        String ink = "Chart.getChart('roofline').options.scales.x.title.color";
        assertEquals("#e6e9ee", browser.text(ink));
        browser.prefer(false);
        browser.await(ink + " === '#1c2330'");
        browser.assertSound(5);
    }
}
