package io.github.cellfuse.bench;

import io.github.cellfuse.InvalidInputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The sizes of one forward layer and a batch.
 *
 * @param steps {@code T}
 * @param rows {@code N}
 * @param inputs {@code I}; 0 for a kernel that has no features
 * @param units {@code H}
 */
public record Shape(int steps, int rows, int inputs, int units) {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,6}),(\\d{1,6}),(\\d{1,6}),(\\d{1,6})");

    public Shape {
        if (steps < 1 || rows < 1 || inputs < 0 || units < 1) {
            throw tooSmall(steps, rows, inputs, units);
        }
    }

    /** Parses {@code T,N,I,H}, all at least 1. */
    public static Shape parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidInputException("shape: expected T,N,I,H such as 64,256,512,512, found '" + text + "'");
        }
        Shape shape = new Shape(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Integer.parseInt(matcher.group(3)),
                Integer.parseInt(matcher.group(4)));
        if (shape.inputs < 1) {
            throw tooSmall(shape.steps, shape.rows, shape.inputs, shape.units);
        }
        return shape;
    }

    private static InvalidInputException tooSmall(int steps, int rows, int inputs, int units) {
        return new InvalidInputException(
                "shape: expected sizes of at least 1, found " + steps + "," + rows + "," + inputs + "," + units);
    }

    /** Returns the floating-point operations of the products: 8·H·(H+I)·N·T. */
    public double flops() {
        return 8.0 * units * ((double) units + inputs) * rows * steps;
    }

    @Override
    public String toString() {
        return steps + "," + rows + "," + inputs + "," + units;
    }
}
