package io.github.cellfuse.cli.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.cellfuse.CellFuseException;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HtmlPageTest {
    @ParameterizedTest
    @ValueSource(strings = {"bench/bench.html", "verify/verify.html"})
    void everyMarkIsReplacedOnce(String template) {
        JsonObject data = new JsonObject();
        data.addProperty("name", "/*page.js*/ $1 \\ </script><b>&");
        String page = HtmlPage.of("/io/github/cellfuse/cli/" + template, data);
        // The one in the data stays what it is.
        assertTrue(
                page.contains("{\"name\":\"/*page.js*/ $1 \\\\ \\u003c/script\\u003e\\u003cb\\u003e\\u0026\"}"),
                "data");
        assertEquals(2, page.split("/\\*page\\.js\\*/", -1).length);
        for (String mark : new String[] {"/*page.css*/", "/*chart.js*/", "/*data*/", "sourceMappingURL"}) {
            assertFalse(page.contains(mark), mark);
        }
        for (String part : new String[] {"--paper: #ffffff", "function make(", "Chart.js v4", "default-src 'none'"}) {
            assertEquals(2, page.split(Pattern.quote(part), -1).length, part);
        }
        assertFalse(page.matches("(?s).*<(script|link|img|iframe)[^>]*\\s(src|href)\\s*=.*"), "a reference");
        assertFalse(page.matches("(?s).*(@import|url\\().*"), "a reference in the style");
    }

    @Test
    void aMissingTemplateIsNamed() {
        CellFuseException e = assertThrows(CellFuseException.class, () -> HtmlPage.of("/none.html", new JsonObject()));
        assertTrue(e.getMessage().startsWith("/none.html is not on the class path"), e.getMessage());
    }
}
