package io.github.cellfuse.spi;

import io.github.cellfuse.InvalidInputException;

/** Sizes of buffers, computed in {@code long} and refused when a Java buffer can't hold them. */
public final class Sizes {
    private Sizes() {}

    /** The product of {@code dimensions} as an {@code int}; refused when one is negative or the product exceeds 2³¹−1. */
    public static int elements(String what, long... dimensions) {
        long product = product(what, dimensions);
        if (product > Integer.MAX_VALUE) {
            throw new InvalidInputException(what + ": " + product + " values are more than one buffer holds ("
                    + Integer.MAX_VALUE + "); use a smaller batch");
        }
        return (int) product;
    }

    /** The product of {@code dimensions}; refused when one is negative or the product overflows a {@code long}. */
    public static long product(String what, long... dimensions) {
        long product = 1;
        for (long dimension : dimensions) {
            if (dimension < 0) {
                throw new InvalidInputException(what + ": expected a size of at least 0, found " + dimension);
            }
            try {
                product = Math.multiplyExact(product, dimension);
            } catch (ArithmeticException overflow) {
                throw new InvalidInputException(what + ": the size overflows 64 bits", overflow);
            }
        }
        return product;
    }
}
