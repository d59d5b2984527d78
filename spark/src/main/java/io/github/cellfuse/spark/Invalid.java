package io.github.cellfuse.spark;

import io.github.cellfuse.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;

/** What happens to a row that can't be computed. */
enum Invalid {
    /** The job fails. */
    ERROR,
    /** The row is left out. */
    SKIP,
    /** The row stays, without a result. */
    KEEP;

    static Invalid parse(String name) {
        return Arrays.stream(values())
                .filter(value -> value.toString().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new InvalidInputException("handleInvalid: expected error, skip or keep, found '" + name + "'"));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
