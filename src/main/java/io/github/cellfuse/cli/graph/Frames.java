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
 * @param hop the number of elements from the end of one call's to the end of the next one's, if given. If it is less
 *     than the size, a call takes elements of the calls before as well, and zeros in place of those before the first
 */
record Frames(int axis, OptionalLong size, OptionalLong hop) {
    private static final Pattern FORM = Pattern.compile("(-?\\d{1,3})(?::([1-9]\\d{0,17})(?::([1-9]\\d{0,17}))?)?");

    static Frames parse(String text, String argument) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new InvalidInputException("--frames: expected [NAME=]AXIS[:SIZE[:HOP]], found '" + argument + "'");
        }
        Frames frames = new Frames(Integer.parseInt(form.group(1)), number(form.group(2)), number(form.group(3)));
        if (frames.hop.isPresent() && frames.hop.getAsLong() > frames.size.getAsLong()) {
            throw new InvalidInputException("--frames: expected a hop of at most the size, " + frames.size.getAsLong()
                    + ", found '" + argument + "'");
        }
        return frames;
    }

    private static OptionalLong number(String digits) {
        return digits == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(digits));
    }
}
