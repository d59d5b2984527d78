package io.github.cellfuse.onnx.shape;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A size: the product of a number and of symbolic sizes.
 *
 * @param factor the number; also 0 or negative if the size is an element of a tensor, such as a Reshape's target
 * @param symbols the symbolic sizes, sorted
 */
record Size(long factor, List<Symbol> symbols) {
    /** The most symbolic sizes in a product; a shape has far fewer. */
    private static final int MOST_SYMBOLS = 64;

    static final Size ONE = of(1);

    /** The number of rows. */
    static final Size ROWS = of(Symbol.ROWS);

    /**
     * A number that is unknown before a run.
     *
     * @param name identifies it
     * @param isOfRows whether it is, or depends on, the number of rows
     * @param isDimension whether it is the size of an axis: a whole number that isn't negative. Other numbers may be
     *     anything that a graph computes, also fractions, infinity or NaN
     */
    record Symbol(String name, boolean isOfRows, boolean isDimension) implements Comparable<Symbol> {
        static final Symbol ROWS = new Symbol("rows", true, true);

        @Override
        public int compareTo(Symbol other) {
            return name.compareTo(other.name);
        }
    }

    static Size of(long number) {
        return new Size(number, List.of());
    }

    static Size of(Symbol symbol) {
        return new Size(1, List.of(symbol));
    }

    /** Returns the number, or nothing if the size has symbols. */
    OptionalLong fixed() {
        return symbols.isEmpty() ? OptionalLong.of(factor) : OptionalLong.empty();
    }

    boolean is(long number) {
        return fixed().equals(OptionalLong.of(number));
    }

    /** Returns whether the number can't be negative. */
    boolean isNatural() {
        return factor >= 0 && isWhole();
    }

    /** Returns whether the number is a whole one in each run. */
    boolean isWhole() {
        return symbols.stream().allMatch(Symbol::isDimension);
    }

    /** Returns whether the size depends on the number of rows. */
    boolean isOfRows() {
        return symbols.stream().anyMatch(Symbol::isOfRows);
    }

    /** Returns whether the size is the number of rows times something that doesn't depend on it. */
    boolean isMultipleOfRows() {
        return symbols.contains(Symbol.ROWS)
                && symbols.stream().filter(Symbol::isOfRows).count() == 1;
    }

    /** Returns the product, or nothing if it overflows or has too many symbols. */
    Optional<Size> times(Size other) {
        if (symbols.size() + other.symbols.size() > MOST_SYMBOLS) {
            return Optional.empty();
        }
        try {
            List<Symbol> all = new ArrayList<>(symbols);
            all.addAll(other.symbols);
            all.sort(null);
            if ((factor == 0 || other.factor == 0) && isWhole() && other.isWhole()) {
                return Optional.of(of(0));
            }
            return Optional.of(new Size(Math.multiplyExact(factor, other.factor), List.copyOf(all)));
        } catch (ArithmeticException e) {
            return Optional.empty();
        }
    }

    /** Returns the quotient, or nothing unless {@code other} is a divisor for all values of the symbols. */
    Optional<Size> dividedBy(Size other) {
        if (other.factor == 0 || factor % other.factor != 0) {
            return Optional.empty();
        }
        List<Symbol> rest = new ArrayList<>(symbols);
        for (Symbol symbol : other.symbols) {
            if (!rest.remove(symbol)) {
                return Optional.empty();
            }
        }
        return Optional.of(new Size(factor / other.factor, List.copyOf(rest)));
    }

    /** Returns the product of all sizes, or nothing if it overflows. */
    static Optional<Size> product(List<Size> sizes) {
        Optional<Size> product = Optional.of(ONE);
        for (Size size : sizes) {
            product = product.flatMap(size::times);
        }
        return product;
    }
}
