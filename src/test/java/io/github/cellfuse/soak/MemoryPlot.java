package io.github.cellfuse.soak;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A picture of the growth of resident memory over the repetitions of each kind of work, in percent of their number. */
record MemoryPlot(Map<String, List<MemorySamples.Sample>> curves) {
    private static final int LEFT = 70, RIGHT = 640, TOP = 50, BOTTOM = 350;
    private static final List<String> COLORS =
            List.of("#0969da", "#1a7f37", "#9a6700", "#8250df", "#bc4c00", "#bf3989", "#57606a", "#cf222e");

    private static final String HEAD = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 410" width="960" height="410" role="img"
                 aria-labelledby="title" font-family="Helvetica, Arial, sans-serif" font-size="14" fill="#1f2328">
              <title id="title">Growth of a process's resident memory while it repeats one kind of work.</title>
              <!-- The picture brings its own background, so it reads the same on white and on dark pages. -->
              <rect x="1" y="1" width="958" height="408" rx="10" fill="#ffffff" stroke="#d0d7de"/>
            """;

    /** Returns an SVG with a white background of its own. */
    String svg() {
        int most = 2;
        for (List<MemorySamples.Sample> samples : curves.values()) {
            for (MemorySamples.Sample sample : samples) {
                most = Math.max(most, 2 * (int) Math.ceil(growthMib(samples, sample) / 2));
            }
        }
        StringBuilder svg = new StringBuilder(HEAD);
        text(svg, LEFT, 30, "start", "resident memory in MiB, compared with the first sample");
        for (int mib = 0; mib <= most; mib += 2) {
            int y = (int) Math.round(y(mib, most));
            svg.append(String.format(
                    "  <path d=\"M%d %dH%d\" stroke=\"%s\"/>%n", LEFT, y, RIGHT, mib == 0 ? "#57606a" : "#d0d7de"));
            text(svg, LEFT - 10, y + 5, "end", "" + mib);
        }
        for (int percent = 0; percent <= 100; percent += 25) {
            text(svg, LEFT + percent * (RIGHT - LEFT) / 100, BOTTOM + 22, "middle", percent + " %");
        }
        text(svg, (LEFT + RIGHT) / 2, BOTTOM + 44, "middle", "of the repetitions");
        int row = 0;
        for (Map.Entry<String, List<MemorySamples.Sample>> curve : curves.entrySet()) {
            String color = COLORS.get(row % COLORS.size());
            int y = TOP + 14 + 26 * row++;
            svg.append(String.format(
                    "  <path d=\"M%d %dh24\" stroke=\"%s\" stroke-width=\"3\"/>%n", RIGHT + 24, y - 5, color));
            text(svg, RIGHT + 56, y, "start", curve.getKey());
            svg.append(polyline(curve.getValue(), most, color));
        }
        return svg.append("</svg>\n").toString();
    }

    private static String polyline(List<MemorySamples.Sample> samples, int most, String color) {
        StringBuilder points = new StringBuilder();
        double last = samples.get(samples.size() - 1).done();
        for (MemorySamples.Sample sample : samples) {
            points.append(String.format(
                    Locale.ROOT,
                    "%.0f,%.1f ",
                    LEFT + sample.done() / last * (RIGHT - LEFT),
                    y(growthMib(samples, sample), most)));
        }
        return String.format(
                "  <polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%n    points=\"%s\"/>%n",
                color, points.toString().strip());
    }

    private static double growthMib(List<MemorySamples.Sample> samples, MemorySamples.Sample sample) {
        return (sample.residentKib() - samples.get(0).residentKib()) / 1024.0;
    }

    private static double y(double mib, int most) {
        return BOTTOM - mib / most * (BOTTOM - TOP);
    }

    private static void text(StringBuilder svg, int x, int y, String anchor, String words) {
        svg.append(String.format("  <text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, words));
    }
}
