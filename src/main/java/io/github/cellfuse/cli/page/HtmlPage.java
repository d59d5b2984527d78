package io.github.cellfuse.cli.page;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a self-contained page of a template and data. A template has any of these marks, each where the text may stand:
 *
 * <pre>
 *   /&#42;page.css&#42;/   the style that all pages share
 *   /&#42;page.js&#42;/    the functions that all pages share
 *   /&#42;chart.js&#42;/   Chart.js
 *   /&#42;data&#42;/       the data, as JSON
 * </pre>
 *
 * A template's content security policy forbids the browser to load anything, so the page works from a disk and without
 * a network.
 */
public final class HtmlPage {
    /** The complete bundle in the jar that pom.xml names. */
    private static final String CHARTS = "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

    private static final String SHARED = "/io/github/cellfuse/cli/page/";

    private static final Pattern MARK = Pattern.compile("/\\*(page\\.css|page\\.js|chart\\.js|data)\\*/");

    /**
     * Escapes {@code <}, {@code >} and {@code &}, so that no name in the data can end the script element that contains
     * it.
     */
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private HtmlPage() {}

    /**
     * Returns the page.
     *
     * @param template the absolute name of a resource
     * @param data what the page shows
     */
    public static String of(String template, JsonElement data) {
        // In one pass, so that a mark within the data stays what it is.
        return MARK.matcher(resource(template)).replaceAll(mark -> Matcher.quoteReplacement(text(mark.group(1), data)));
    }

    private static String text(String mark, JsonElement data) {
        return switch (mark) {
            case "data" -> GSON.toJson(data);
            // Developer tools would look for the source map that the last line of the bundle names.
            case "chart.js" -> resource(CHARTS).replaceAll("(?m)^//# sourceMappingURL=.*$", "");
            default -> resource(SHARED + mark);
        };
    }

    private static String resource(String name) {
        try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new CellFuseException(name + " is not on the class path: the jars are incomplete");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CellFuseException(name + " can't be read: " + e.getMessage(), e);
        }
    }
}
