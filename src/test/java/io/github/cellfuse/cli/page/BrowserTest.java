package io.github.cellfuse.cli.page;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with a page is found: otherwise the tests of pages would prove nothing. */
class BrowserTest {
    @TempDir
    private static Path folder;

    private static Browser browser;

    @BeforeAll
    static void open() {
        browser = Browser.start();
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | <p>text</p>                                                          | ",
                "1 | <p>text</p>                                                          | canvases",
                "1 | <canvas></canvas>                                                    | blank canvases",
                "0 | <div style='width: 500px'>wide</div>                                 | what is too wide",
                "0 | <div class='scroll' style='overflow-x: auto'><p style='width: 500px'>a</p></div> | ",
                "0 | <script>console.info('done')</script>                                | console",
                "0 | <script>undefined.x</script>                                         | console",
                "0 | <iframe src='about:blank' style='width: 9px'></iframe>               | ",
                "0 | <img src='other.png' onerror='this.remove()'>                        | console",
                "0 | <iframe src='bare.html' style='width: 9px'></iframe>                 | requests",
            })
    void findsWhatIsWrong(int canvases, String body, String found) throws IOException {
        Path page = folder.resolve("page.html");
        String head = "<!DOCTYPE html><meta name='viewport' content='width=device-width, initial-scale=1'>";
        Files.writeString(folder.resolve("bare.html"), head);
        Files.writeString(page, head + body);
        browser.open(page, Browser.View.PHONE);
        if (found == null) {
            browser.assertSound(canvases);
        } else {
            AssertionError error = assertThrows(AssertionError.class, () -> browser.assertSound(canvases));
            assertTrue(error.getMessage().startsWith(found + " ==>"), error.getMessage());
        }
    }
}
