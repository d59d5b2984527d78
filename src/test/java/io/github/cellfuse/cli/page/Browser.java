package io.github.cellfuse.cli.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.By;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.net.PortProber;

/**
 * Chromium without a window, which shows pages from the disk. It is the system's browser with the system's driver, so
 * that nothing is downloaded, and it resolves no host name. Not thread safe.
 */
public final class Browser implements AutoCloseable {
    /** How long a page may take to draw what a test waits for. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Says at each start that it doesn't know this version's own protocol, which isn't used. */
    private static final Logger VERSIONS = Logger.getLogger("org.openqa.selenium.devtools.CdpVersionFinder");

    private static final Path SCREENSHOTS = Path.of("target", "screenshots");

    /** Whose screen it is. */
    public enum View {
        LIGHT(1280, 900, false),
        DARK(1280, 900, true),
        PHONE(390, 844, false),
        DARK_PHONE(390, 844, true);
        private final int width, height;
        private final boolean isDark, isPhone;

        View(int width, int height, boolean isDark) {
            this.width = width;
            this.height = height;
            this.isDark = isDark;
            isPhone = width < height;
        }

        /** Returns whether the user prefers dark pages. */
        public boolean isDark() {
            return isDark;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final ChromeDriver driver;
    /** The browser's temporary files, of which it leaves some behind. */
    private final Path folder;

    private final List<String> requested = new ArrayList<>();
    private Path page;

    private Browser(ChromeDriver driver, Path folder) {
        this.driver = driver;
        this.folder = folder;
    }

    /** Starts the browser. A machine without one fails the test, unless it is left out by name. */
    public static Browser start() {
        Assumptions.assumeFalse(
                "none".equals(System.getProperty("cellfuse.browser")), "left out by -Dcellfuse.browser=none");
        VERSIONS.setLevel(Level.SEVERE);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(program("chromium", "chromium-browser"));
        options.addArguments(
                "--headless=new",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1");
        if ("root".equals(System.getProperty("user.name"))) {
            options.addArguments("--no-sandbox");
        }
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
        int port = PortProber.findFreePort();
        ChromeDriverService service;
        Path folder;
        try {
            folder = Files.createTempDirectory("cellfuse-browser");
            service = new ChromeDriverService(
                    program("chromedriver"),
                    port,
                    PATIENCE,
                    List.of("--port=" + port, "--log-level=OFF"),
                    // What the tests preload into Java isn't meant for the browser.
                    Map.of("LD_PRELOAD", "", "TMPDIR", folder.toString()));
        } catch (IOException e) {
            return fail(e);
        }
        service.sendOutputTo(OutputStream.nullOutputStream());
        return new Browser(new ChromeDriver(service, options), folder);
    }

    private static File program(String... names) {
        for (String name : names) {
            for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
                File file = new File(folder, name);
                if (file.canExecute()) {
                    return file;
                }
            }
        }
        return fail("no " + String.join(" or ", names) + " on the PATH: bin/setup --tests installs it;"
                + " where it can't be had: -Dcellfuse.browser=none");
    }

    /** Opens a page, and forgets what was logged before. */
    public void open(Path file, View view) {
        page = file.toAbsolutePath();
        driver.get("about:blank");
        driver.manage().logs().get(LogType.BROWSER);
        driver.manage().logs().get(LogType.PERFORMANCE);
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", view.width, "height", view.height, "deviceScaleFactor", 1, "mobile", view.isPhone));
        prefer(view.isDark);
        requested.clear();
        driver.get(page.toUri().toString());
        // Under load the driver sometimes returns before the page's last script has run.
        await("document.readyState === 'complete'");
    }

    /** Makes the user prefer dark or light pages, also while one is open. */
    public void prefer(boolean dark) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    /** Returns the value of an expression; {@code arguments[k]} are what is passed. */
    public Object js(String expression, Object... arguments) {
        return driver.executeScript("return " + expression, arguments);
    }

    /** Returns the value of an expression that is text. */
    public String text(String expression, Object... arguments) {
        return String.valueOf(js(expression, arguments));
    }

    /** Waits until an expression is true. */
    public void await(String expression, Object... arguments) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!Boolean.TRUE.equals(js("Boolean(" + expression + ")", arguments))) {
            if (System.nanoTime() > end) {
                fail("not within " + PATIENCE.toSeconds() + " s: " + expression);
            }
            pause(20);
        }
    }

    private static void pause(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(e);
        }
    }

    /** Clicks what a CSS selector finds first. */
    public void click(String selector) {
        driver.findElement(By.cssSelector(selector)).click();
    }

    /** Types keys into what has the focus. */
    public void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /** Moves the mouse to a point of an element, in pixels from its upper left corner. */
    public void point(String selector, double x, double y) {
        js("document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })", selector);
        String corner = "document.querySelector(arguments[0]).getBoundingClientRect()";
        double left = ((Number) js(corner + ".left", selector)).doubleValue();
        double top = ((Number) js(corner + ".top", selector)).doubleValue();
        Actions actions = new Actions(driver);
        actions.moveToLocation((int) Math.round(left + x) + 3, (int) Math.round(top + y) + 3);
        actions.moveToLocation((int) Math.round(left + x), (int) Math.round(top + y))
                .perform();
    }

    /** Moves the mouse to an element of a chart and returns what the text over it says. */
    public String hover(String canvas, int dataset, int index) {
        String chart = "Chart.getChart(document.querySelector(arguments[0]))";
        String element = chart + ".getDatasetMeta(arguments[1]).data[arguments[2]].getCenterPoint()";
        double x = ((Number) js(element + ".x", canvas, dataset, index)).doubleValue();
        double y = ((Number) js(element + ".y", canvas, dataset, index)).doubleValue();
        point(canvas, x, y);
        await(chart + ".tooltip.opacity > 0", canvas);
        return text(
                chart + ".tooltip.title.concat(" + chart + ".tooltip.body.flatMap(b => b.lines)).join('\\n')", canvas);
    }

    /** Writes all of the page, not only what fits the window, to {@code target/screenshots/NAME.png}. */
    public void screenshot(String name) throws IOException {
        screenshot(name, "html");
    }

    /** Writes what a CSS selector finds first to {@code target/screenshots/NAME.png}. */
    public void screenshot(String name, String selector) throws IOException {
        // Two frames: what is on a canvas is shown with the next one, and beside other work late.
        js("window.shown = false");
        js("requestAnimationFrame(() => requestAnimationFrame(() => { window.shown = true; }))");
        await("window.shown === true");
        String box = "(e => { const r = e.getBoundingClientRect(); return [r.left + scrollX, r.top + scrollY,"
                + " Math.min(r.width, document.documentElement.clientWidth), r.height]; })"
                + "(document.querySelector(arguments[0]))";
        List<?> area = (List<?>) js(box, selector);
        Map<String, Object> clip =
                Map.of("x", area.get(0), "y", area.get(1), "width", area.get(2), "height", area.get(3), "scale", 1);
        Object image = driver.executeCdpCommand(
                        "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true, "clip", clip))
                .get("data");
        Files.createDirectories(SCREENSHOTS);
        Files.write(SCREENSHOTS.resolve(name + ".png"), Base64.getDecoder().decode(image.toString()));
    }

    /**
     * The page is drawn, fits the window, wrote nothing to the console, and asked for nothing but itself.
     *
     * @param canvases number of canvases that are shown
     */
    public void assertSound(int canvases) {
        String shown = "Array.from(document.querySelectorAll('canvas')).filter(c => c.offsetParent !== null)";
        assertEquals((long) canvases, js(shown + ".length"), "canvases");
        // Many colours, and data behind them. The pixels are read from a copy, as reading a canvas itself is reported.
        String colours = "(c => { const copy = new OffscreenCanvas(c.width, c.height)"
                + ".getContext('2d', { willReadFrequently: true }); copy.drawImage(c, 0, 0); return new Set("
                + "new Uint32Array(copy.getImageData(0, 0, c.width, c.height).data.buffer)).size; })";
        // A canvas without a chart is a map, which the page draws itself.
        String hasData = "window.Chart && (!Chart.getChart(c)"
                + " || Chart.getChart(c).data.datasets.some(set => set.data.length > 0))";
        assertEquals(
                List.of(),
                js(shown + ".filter(c => " + colours + "(c) < 10 || !(" + hasData + ")).map(c => c.id)"),
                "blank canvases");
        assertEquals(
                List.of(),
                js("Array.from(document.querySelectorAll('body *')).filter(e => !e.closest('.scroll')"
                        + " && e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)"
                        + ".map(e => e.tagName + ' ' + e.id + ' ' + e.className)"),
                "what is too wide");
        assertTrue(
                (boolean) js("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "width");
        assertQuiet();
    }

    /** The console is empty, and nothing but the page was asked for. */
    public void assertQuiet() {
        assertEquals(
                List.of(),
                driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                        .map(Object::toString)
                        .toList(),
                "console");
        assertEquals(List.of(page.toUri().toString()), requests().distinct().toList(), "requests");
    }

    /** Returns the addresses that were asked for since the page was opened. */
    private Stream<String> requests() {
        driver.manage().logs().get(LogType.PERFORMANCE).getAll().forEach(entry -> {
            JsonObject message =
                    JsonParser.parseString(entry.getMessage()).getAsJsonObject().getAsJsonObject("message");
            if (message.get("method").getAsString().equals("Network.requestWillBeSent")) {
                requested.add(message.getAsJsonObject("params")
                        .getAsJsonObject("request")
                        .get("url")
                        .getAsString());
            }
        });
        return requested.stream();
    }

    @Override
    public void close() {
        driver.quit();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            fail(e);
        }
    }
}
