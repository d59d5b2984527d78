package io.github.cellfuse.cli.graph;

import io.github.cellfuse.InvalidInputException;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which axis of a file is the succession of calls.
 *
 * @param axis the axis; counted from the end where negative
 * @param size elements along it that a call takes, where given
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
