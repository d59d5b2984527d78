package io.github.cellfuse.cli.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.Layout;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.cli.Cli;
import io.github.cellfuse.cli.DeviceOption;
import io.github.cellfuse.cli.page.Browser;
import io.github.cellfuse.cli.page.HtmlPage;
import io.github.cellfuse.spi.CellValue;
import io.github.cellfuse.verify.FaultyCells;
import io.github.cellfuse.verify.RandomInput;
import io.github.cellfuse.verify.Verifier;
import io.github.cellfuse.verify.VerifyReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.openqa.selenium.Keys;

/** The page of a verification, in a browser. */
class VerifyPageTest {
    private static final Path MODEL = Path.of("examples", "sunspots", "model.safetensors");

    @TempDir
    private static Path folder;

    private static Path passed;
    private static Browser browser;

    @BeforeAll
    static void open() {
        browser = Browser.start();
        passed = folder.resolve("passed.html");
        Cli.run("verify", MODEL, "--device", "java", "--case", "random,zeros,nan", "--shape", "4,40", "--html", passed)
                .assertDone();
        Cli.run("verify", MODEL, "--device", "java", "--html", passed).assertError(2, "passed.html", "--overwrite");
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Browser.View.class)
    void showsThatTheDeviceIsRight(Browser.View view) throws IOException {
        browser.open(passed, view);
        browser.screenshot("verify-" + view);
        browser.assertSound(5);
        assertEquals(
                "Verified\njava (exact): every bit equals the java device's; every error is within its bound.",
                browser.text("byId('verdict').innerText.replace(/\\n+/g, '\\n')"));
        assertEquals(
                view.isDark() ? "rgb(20, 24, 31)" : "rgb(255, 255, 255)",
                browser.text("getComputedStyle(document.body).backgroundColor"));
        assertEquals(true, browser.js("byId('failures-section').hidden"));
        assertTrue(browser.text("byId('about').textContent").contains("model.safetensors"));
    }

    @Test
    void plotsFollowTheColoursOfTheSystem() {
        browser.open(passed, Browser.View.LIGHT);
        String ink = "Chart.getChart('outputs').options.scales.x.title.color";
        assertEquals("#1c2330", browser.text(ink));
        browser.prefer(true);
        browser.await(ink + " === '#e6e9ee'");
        browser.assertSound(5);
    }

    @Test
    void theMouseShowsAStepAndACount() {
        browser.open(passed, Browser.View.LIGHT);
        String step = browser.hover("#outputs", 1, 2);
        assertTrue(step.matches("layer 0, steps 4–5\\n.* error, .* ulp, at most\\n0\\.[0-9]{3} of the .* bound"), step);
        String gate = browser.hover("#cells .plot:nth-child(2) canvas", 0, 0);
        assertTrue(gate.startsWith("i, steps 0–1\n"), gate);
        String bar = browser.hover("#ulps", 1, 0);
        assertTrue(bar.startsWith("≤ ½ ulp\n") && bar.contains("\npre-activations: "), bar);
        browser.assertQuiet();
    }

    @Test
    void aClickOrAKeySortsATable() {
        browser.open(passed, Browser.View.LIGHT);
        String shares = "Array.from(document.querySelectorAll('#tensors tbody td:last-child')).map(c => c.innerText)";
        String cell = "#tensors th:last-child";
        browser.click(cell + " button");
        assertEquals("descending", browser.text("document.querySelector('" + cell + "').ariaSort"));
        assertEquals(true, browser.js("((s) => s.every((v, k) => k === 0 || s[k - 1] >= v))(" + shares + ")"));
        browser.press(Keys.ENTER);
        assertEquals("ascending", browser.text("document.querySelector('" + cell + "').ariaSort"));
        assertEquals(true, browser.js("((s) => s.every((v, k) => k === 0 || s[k - 1] <= v))(" + shares + ")"));
        String names =
                "Array.from(document.querySelectorAll('#cases tbody td:nth-child(2)')).map(c => c.innerText).join()";
        assertEquals("random,zeros,nan", browser.text(names));
        browser.click("#cases th:nth-child(2) button");
        assertEquals("nan,random,zeros", browser.text(names));
        browser.assertQuiet();
    }

    @Test
    void whatIsChosenIsDrawn() {
        browser.open(passed, Browser.View.LIGHT);
        browser.click("#cases tbody tr:nth-child(2) .case-name");
        browser.await("byId('case-about').textContent.startsWith('zeros on java: 4 rows of ')");
        browser.assertSound(5);
        browser.js("byId('case').focus()");
        browser.press("r");
        browser.await("byId('case-about').textContent.startsWith('random on java: 4 rows of 40 steps')");
        String unit = "Chart.getChart('outputs').options.scales.y.title.text";
        assertEquals("error / bound", browser.text(unit));
        browser.press(Keys.TAB, "l");
        browser.await(unit + " === 'ulp'");
        String first = "Chart.getChart(document.querySelector('#cells canvas')).data.datasets[0].data[3].y";
        Object before = browser.js(first);
        browser.press(Keys.TAB, Keys.ARROW_DOWN);
        browser.await("byId('layer').value === 'layer 1.0' && " + first + " !== arguments[0]", before);
        browser.assertSound(5);
    }

    /** One bit inside a cell: every error is small, and the page says which value it is. */
    @ParameterizedTest
    @EnumSource(
            value = Browser.View.class,
            names = {"LIGHT", "DARK_PHONE"})
    void showsTheFirstFault(Browser.View view) throws IOException {
        LstmModel model = RandomLstm.model(new Random(5), Direction.BIDIRECTIONAL, 2, 3, 6, true, true);
        LstmInput input = RandomInput.full(model, Layout.TIME_MAJOR, 4, 7, 5);
        VerifyReport report = verify(
                model,
                m -> new FaultyCells(LstmEngine.open(Device.JAVA, m), 3, 1, CellValue.OUTPUT_GATE, 3, 2, 4),
                input);
        browser.open(page("fault", model, report, input), view);
        browser.screenshot("verify-fault-" + view);
        browser.assertSound(5);
        assertEquals(
                "FAILED\njava (exact): BITS DIFFER from the java device's in random; every error is within its bound.",
                browser.text("byId('verdict').innerText.replace(/\\n+/g, '\\n')"));
        String failure = browser.text("byId('failures').innerText");
        assertTrue(failure.contains("First fault in layer 0, direction 1, step 3, row 2, unit 4: o is "), failure);
        assertEquals(
                "cellfuse verify 'a model' --layer 0", browser.text("document.querySelector('.command').innerText"));
        assertEquals("layer 0.1", browser.text("byId('layer').value"), "the layer of the fault");
        // Only the wrong step has a mark.
        assertEquals(
                List.of("circle", "circle", "circle", "triangle", "circle", "circle", "circle"),
                browser.js("Chart.getChart(document.querySelector('#cells .plot:nth-child(2) canvas')).data.datasets"
                        + ".find(set => set.label === 'o').pointStyle"));
        String tip = browser.hover("#cells .plot:nth-child(2) canvas", 3, 3);
        assertTrue(tip.startsWith("o, step 3\n") && tip.endsWith("\n1 value with other bits"), tip);
        browser.assertQuiet();
    }

    /** Another model: nothing is right, and infinities and failed devices are shown as well. */
    @Test
    void showsErrorsAboveTheirBoundAndFailedDevices() throws IOException {
        LstmModel model = RandomLstm.model(new Random(1), 1, 2, 3, false, true);
        LstmModel other = RandomLstm.model(new Random(9), 1, 2, 3, false, true);
        LstmInput input = RandomInput.full(model, Layout.BATCH_MAJOR, 2, 5, 1);
        VerifyReport report = verify(model, m -> LstmEngine.open(Device.JAVA, other), input);
        String name = "</script><img src=http://x onerror=alert(1)>";
        browser.open(page(name, model, report, input), Browser.View.LIGHT);
        browser.screenshot("verify-errors");
        String verdict = browser.text("byId('verdict').innerText");
        assertTrue(verdict.contains("BITS DIFFER") && verdict.contains("ERRORS EXCEED THEIR BOUND in random"), verdict);
        assertTrue(verdict.contains("opencl:7.1: could not be verified: " + name), verdict);
        String failure = browser.text("byId('failures').innerText");
        assertTrue(failure.contains("First fault in layer 0, direction 0, step 0, row 0, unit 0: a_i is "), failure);
        assertEquals(
                List.of("model y [0, 0, 0]", "cells of layer 0.0 a_i [0, 0, 1]"),
                browser.js("Array.from(document.querySelectorAll('.failure table')).map((t, k) => {"
                        + " const cells = t.rows[k === 0 ? 1 : 7].cells;"
                        + " return [0, 1, 3].map(c => cells[c].innerText).join(' '); })"));
        assertEquals(0L, browser.js("document.images.length"), "names are text");
        browser.assertSound(5);
    }

    @Test
    void aDeviceThatOnlyFailedHasNoPlots() throws IOException {
        Path page = folder.resolve("none.html");
        VerifiedDevice none = new VerifiedDevice(choice("opencl:7.1"), Map.of(), Optional.of("it is gone"), of -> null);
        Files.writeString(
                page, HtmlPage.of("/io/github/cellfuse/cli/verify/verify.html", VerifyJson.of(MODEL, List.of(none))));
        browser.open(page, Browser.View.LIGHT);
        assertTrue(browser.text("document.body.innerText").contains("opencl:7.1: could not be verified: it is gone"));
        browser.assertSound(0);
    }

    private static VerifyReport verify(LstmModel model, Function<LstmModel, LstmEngine> device, LstmInput input) {
        return new Verifier(device, 2).verify(model, input);
    }

    private static DeviceOption.Choice choice(String device) {
        return new DeviceOption.Choice(Device.parse(device), "a test");
    }

    private static Path page(String name, LstmModel model, VerifyReport report, LstmInput input) throws IOException {
        VerifyCase of = new VerifyCase("random", model, input, List.of());
        VerifiedDevice found = new VerifiedDevice(
                choice("java"),
                Map.of(of, report),
                Optional.empty(),
                each -> layer -> "cellfuse verify 'a model' --layer " + layer);
        VerifiedDevice failed = new VerifiedDevice(choice("opencl:7.1"), Map.of(), Optional.of(name), each -> null);
        Path page = folder.resolve("page.html");
        List<VerifiedDevice> devices = name.equals("fault") ? List.of(found) : List.of(found, failed);
        Files.writeString(
                page, HtmlPage.of("/io/github/cellfuse/cli/verify/verify.html", VerifyJson.of(Path.of(name), devices)));
        return page;
    }
}
