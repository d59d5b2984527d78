package io.github.cellfuse.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.cli.page.Browser;
import io.github.cellfuse.format.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openqa.selenium.Keys;

/** The pages of trace and demo in a browser. */
class TracePageTest {
    private static final int MAPS = 6, CHARTS = 3;

    @TempDir
    private static Path folder;

    private static Browser browser;
    private static Path demo, trace;
    private static String printed;

    @BeforeAll
    static void open() {
        browser = Browser.start();
        demo = folder.resolve("demo.html");
        printed =
                Cli.run("demo", "--html", demo, "--device", "java").assertDone().out();
        Path model = Path.of("src/test/resources/pytorch/bidirectional_projection.safetensors");
        int features = ModelFiles.read(model).inputSize();
        Path x = NpyFiles.floats(
                folder.resolve("x.npy"), RandomLstm.values(new Random(5), 2 * 90 * features, 1), 2, 90, features);
        trace = folder.resolve("trace.html");
        Cli.run("trace", model, x, "--html", trace, "--rows", "0-1", "--device", "java")
                .assertDone();
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everythingIsDrawnAndNothingIsFetched(Browser.View view) throws IOException {
        browser.open(demo, view);
        browser.assertSound(MAPS + CHARTS);
        browser.screenshot("demo-" + view);
        browser.open(trace, view);
        browser.assertSound(MAPS + CHARTS);
        browser.screenshot("trace-" + view);
    }

    @Test
    void thePageSaysWhatItsBitsWereComparedWith() {
        String same = "✓ The traced run has the same bits as a normal run";
        browser.open(demo, Browser.View.LIGHT);
        assertEquals(same + " on java.", browser.text("byId('verdict').textContent"));
        browser.open(trace, Browser.View.LIGHT);
        assertEquals(same + ".", browser.text("byId('verdict').textContent"));
    }

    /** The page's own sums give what the program printed: how much of the country's writing is left. */
    @Test
    void theCaptionAgreesWithTheProgram() {
        Matcher left = Pattern.compile("remember \"india\" best: (\\d+) % of what it wrote")
                .matcher(printed);
        assertTrue(left.find(), printed);
        browser.open(demo, Browser.View.LIGHT);
        String caption = browser.text("byId('caption').textContent");
        assertTrue(
                caption.contains("still holds " + left.group(1) + " % of what step 3 “india” wrote"),
                caption + printed);
    }

    /** The unit that is drawn first was empty, holds what the country wrote, and keeps it to the end. */
    @Test
    void indiaStaysInTheCell() throws IOException {
        browser.open(demo, Browser.View.LIGHT);
        // The pictures of docs/trace.md.
        browser.screenshot("demo-unit", ".plot:has(#cell)");
        browser.screenshot("demo-cells", ".map");
        String c = "Chart.getChart('cell').data.datasets[0].data";
        assertTrue((boolean) browser.js("Math.abs(" + c + "[2]) < 0.05"), "before");
        assertTrue((boolean) browser.js("Math.abs(" + c + "[3]) > 0.9"), "at india");
        assertTrue((boolean) browser.js(c + ".slice(3).every(v => Math.abs(v - " + c + "[3]) < 0.1)"), "after");
        // The bars add up to the line.
        assertTrue((boolean) browser.js(c + ".every((v, t) => Math.abs(v"
                + " - Chart.getChart('cell').data.datasets[1].data[t]"
                + " - Chart.getChart('cell').data.datasets[2].data[t]) < 1e-5)"));
        assertEquals(
                "step 3 “india”\nadded, i·C̃",
                browser.hover("#cell", 2, 3).replaceAll("(?s)\n.*\n(added, i·C̃).*", "\n$1"));
    }

    @Test
    void pointingReadsAValueAndClickingChoosesItsUnit() {
        browser.open(demo, Browser.View.LIGHT);
        // The map of C: 28 steps, 64 units.
        String map = ".field canvas";
        double width = ((Number) browser.js("document.querySelector('.field canvas').clientWidth")).doubleValue();
        double height = ((Number) browser.js("document.querySelector('.field canvas').clientHeight")).doubleValue();
        browser.point(map, 5.5 * width / 28, 10.5 * height / 64);
        String read = browser.text("byId('readout').textContent");
        String unit = browser.text("String(fields[0].units[10])");
        assertTrue(read.startsWith("step 5 “my”, unit " + unit), read);
        assertTrue(read.contains("C " + browser.text("view.at('c', 5, " + unit + ").toPrecision(4)")), read);
        assertFalse((boolean) browser.js("fields[3].across.hidden"), "the cross is on the other maps, too");
        String middle = browser.text("String(fields[0].units[32])");
        browser.click(map);
        assertEquals(middle, browser.text("byId('unit').value"));
        assertEquals("warm", browser.text("document.querySelector('.axis .marked').textContent"));
        browser.assertQuiet();
    }

    @Test
    void theKeyboardMovesAndChooses() {
        browser.open(demo, Browser.View.LIGHT);
        browser.js("void fields[2].box.focus()");
        browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN);
        String unit = browser.text("String(fields[2].units[1])");
        String read = browser.text("byId('readout').textContent");
        assertTrue(read.startsWith("step 5 “my”, unit " + unit), read);
        browser.press(Keys.ENTER);
        assertEquals(unit, browser.text("byId('unit').value"));
        assertEquals(true, browser.js("document.activeElement === fields[2].box"), "the focus stays");
        browser.assertQuiet();
    }

    @Test
    void unitsAreSorted() {
        browser.open(demo, Browser.View.LIGHT);
        for (String order : List.of("memory", "size", "number", "written")) {
            browser.js("void (byId('order').value = arguments[0])", order);
            browser.js("void byId('order').dispatchEvent(new Event('change'))");
            String key = switch (order) {
                case "memory" -> "view.memory[u]";
                case "size" -> "Math.abs(view.at('c', 27, u))";
                case "number" -> "-u";
                default -> "fromMarked(27)[u]";
            };
            assertEquals(
                    true,
                    browser.js(
                            "fields[0].units.map(u => " + key + ").every((v, k, all) => k === 0 || v <= all[k - 1])"),
                    order);
            assertEquals(64L, browser.js("new Set(fields[0].units).size"));
        }
    }

    /** Another row, the reverse direction, and an earlier step to look back from. */
    @Test
    void theChoicesChangeWhatIsShown() {
        browser.open(trace, Browser.View.LIGHT);
        assertEquals("true", browser.text("byId('trace-label').hidden"));
        String before = browser.text("byId('caption').textContent");
        browser.js("void (byId('row').value = 1)");
        browser.js("void byId('row').dispatchEvent(new Event('change'))");
        assertNotEquals(before, browser.text("byId('caption').textContent"));
        assertEquals(true, browser.js("view.reverse"), "the last layer's last direction comes first");
        assertTrue(browser.text("byId('caption').textContent").contains("After step 0,"), "it ends at the first step");
        browser.js("void (byId('at').value = 40)");
        browser.js("void byId('at').dispatchEvent(new Event('input'))");
        assertTrue(browser.text("byId('caption').textContent").contains("After step 40,"));
        assertEquals(
                true, browser.js("Chart.getChart('shares').data.datasets[0].data.slice(0, 40).every(v => v === 0)"));
        browser.js("void (byId('measure').value = 'share')");
        browser.js("void byId('measure').dispatchEvent(new Event('change'))");
        String sum = "Chart.getChart('shares').data.datasets[0].data.reduce((a, b) => a + b)";
        assertEquals(100, ((Number) browser.js(sum)).doubleValue(), 1e-6, "shares of what the cell holds");
        browser.js("void (byId('layer').value = 0)");
        browser.js("void byId('layer').dispatchEvent(new Event('change'))");
        assertEquals(false, browser.js("view.reverse"));
        browser.assertQuiet();
    }
}
