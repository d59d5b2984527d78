package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The axis of a file along which successive calls run.
 *
 * @param axis the axis; a negative number counts from the end
 * @param size the number of elements along the axis that each call takes, if given
 */
record Frames(int axis, OptionalLong size) {
    private static final Pattern FORM = Pattern.compile("(-?\\d{1,3})(?::(\\d{1,18}))?");

    static Frames parse(String text, String argument) {
        Matcher form = FORM.matcher(text);
        if (!form.matches() || "0".equals(form.group(2))) {
            throw new InvalidInputException("--frames: expected [NAME=]AXIS[:SIZE], found '" + argument + "'");
        }
        OptionalLong size =
                form.group(2) == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(form.group(2)));
        return new Frames(Integer.parseInt(form.group(1)), size);
    }
}
