package io.github.cellfuse.cli.bench;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes a benchmark as a self-contained page: the template {@code bench.html} with Chart.js and the data inserted. The
 * page's content security policy forbids the browser to load anything.
 */
final class BenchHtml {
    /** The complete bundle in the jar that pom.xml names. */
    private static final String CHARTS = "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

    /**
     * Escapes {@code <}, {@code >} and {@code &}, so that no name in the data can end the script element that contains
     * it.
     */
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private BenchHtml() {}

    static String page(BenchDocument document) {
        JsonObject data = BenchJson.of(document);
        data.add("comparison", JsonNull.INSTANCE);
        document.comparison()
                .ifPresent(comparison -> data.add(
                        "comparison", BenchJson.comparison(document.old().orElseThrow(), comparison)));
        // Developer tools would look for the source map that the last line of the bundle names.
        String charts = resource(CHARTS).replaceAll("(?m)^//# sourceMappingURL=.*$", "");
        return resource("bench.html").replace("/*chart.js*/", charts).replace("/*data*/", GSON.toJson(data));
    }

    private static String resource(String name) {
        try (InputStream in = BenchHtml.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new CellFuseException(name + " is not on the class path: the jars are incomplete");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CellFuseException(name + " can't be read: " + e.getMessage(), e);
        }
    }
}
