package io.github.cellfuse.bench.audit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** A Markdown table, padded so that it is readable as plain text. */
final class Table {
    /** The cell of a number that doesn't exist. */
    static final String NONE = "–";

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... columns) {
        rows.add(List.of(columns));
    }

    Table add(String... cells) {
        rows.add(List.of(cells));
        return this;
    }

    /** Returns {@code 122–228}, or one number if they are equal, or {@link #NONE}. */
    static String range(DoubleStream numbers, String format) {
        List<String> texts = numbers.sorted()
                .mapToObj(number -> String.format(Locale.ROOT, format, number))
                .distinct()
                .toList();
        return switch (texts.size()) {
            case 0 -> NONE;
            case 1 -> texts.get(0);
            default -> texts.get(0) + "–" + texts.get(texts.size() - 1);
        };
    }

    @Override
    public String toString() {
        int[] widths = IntStream.range(0, rows.get(0).size())
                .map(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElseThrow())
                .toArray();
        StringBuilder text = new StringBuilder();
        for (int row = 0; row < rows.size(); row++) {
            append(text, rows.get(row), widths);
            if (row == 0) {
                append(text, Collections.nCopies(widths.length, "---"), widths);
            }
        }
        return text.toString();
    }

    private static void append(StringBuilder text, List<String> cells, int[] widths) {
        for (int column = 0; column < widths.length; column++) {
            String cell = cells.get(column);
            text.append("| ").append(cell).append(" ".repeat(widths[column] - cell.length() + 1));
        }
        text.append("|\n");
    }
}
