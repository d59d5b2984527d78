package io.github.cellfuse.cli.bench;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.github.cellfuse.cli.page.HtmlPage;

/** Writes a benchmark as a self-contained page. */
final class BenchHtml {
    private BenchHtml() {}

    static String page(BenchDocument document) {
        JsonObject data = BenchJson.of(document);
        data.add("comparison", JsonNull.INSTANCE);
        document.comparison()
                .ifPresent(comparison -> data.add(
                        "comparison", BenchJson.comparison(document.old().orElseThrow(), comparison)));
        return HtmlPage.of("/io/github/cellfuse/cli/bench/bench.html", data);
    }
}
