package io.github.cellfuse.spi;

import io.github.cellfuse.InvalidInputException;

/** Computes buffer sizes as {@code long} and rejects those that a Java buffer can't hold. */
public final class Sizes {
    private Sizes() {}

    /**
     * Returns the product of {@code dimensions} as an {@code int}.
     *
     * @param what what has this size, for the message
     * @throws InvalidInputException if a dimension is negative or the product exceeds 2³¹−1
     */
    public static int elements(String what, long... dimensions) {
        long product = product(what, dimensions);
        if (product > Integer.MAX_VALUE) {
            throw new InvalidInputException(what + ": " + product + " values are more than one buffer holds ("
                    + Integer.MAX_VALUE + "); use a smaller batch");
        }
        return (int) product;
    }

    /**
     * Returns the product of {@code dimensions}.
     *
     * @param what what has this size, for the message
     * @throws InvalidInputException if a dimension is negative or the product overflows a {@code long}
     */
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
