package io.github.cellfuse.cli.trace;

import io.github.cellfuse.InvalidInputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Parses indices as options give them. */
final class IndexList {
    private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

    private IndexList() {}

    /** Returns the indices of a text such as {@code 0,4-6}, in its order and without repetitions. */
    static int[] parse(String option, String text) {
        return Pattern.compile(",")
                .splitAsStream(text)
                .map(part -> range(option, part))
                .flatMapToInt(range -> IntStream.rangeClosed(range[0], range[1]))
                .distinct()
                .toArray();
    }

    /** Returns the first and the last index of a text such as {@code 4-6}. */
    static int[] range(String option, String text) {
        Matcher matcher = RANGE.matcher(text.trim());
        if (matcher.matches()) {
            int first = Integer.parseInt(matcher.group(1));
            int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
            if (first <= last) {
                return new int[] {first, last};
            }
        }
        throw new InvalidInputException(
                option + ": expected indices from 0 on, such as 3 or 3-5, found '" + text.trim() + "'");
    }
}
