package io.github.cellfuse;

import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How many cases the tests run. {@code bin/test} covers every value of every option and the pairs that interact.
 * {@code bin/test --all} runs many more combinations and random cases. Tests that ask for the extent, or their classes,
 * are tagged {@code extended}, so that they can be run by themselves.
 */
public final class Extent {
    private static final boolean ALL = Boolean.getBoolean("cellfuse.long");

    /** Whether {@code bin/test} ran before and need not be repeated: continuous integration runs both. */
    private static final boolean BEYOND = ALL && Boolean.getBoolean("cellfuse.beyond");

    private Extent() {}

    /** Returns the number of random cases: {@code few}, or {@code many} with {@code bin/test --all}. */
    public static int cases(int few, int many) {
        return ALL ? many : few;
    }

    /**
     * Returns the seeds of random cases that don't depend on each other: {@code few} from {@code first} on, or
     * {@code many} with {@code bin/test --all}; of these, with {@code -Dcellfuse.beyond=true}, those beyond the few.
     */
    public static LongStream seeds(long first, int few, int many) {
        return LongStream.range(first + (BEYOND ? few : 0), first + cases(few, many));
    }

    /** Returns {@code covering}, or every combination with {@code bin/test --all}. */
    public static <T> Stream<T> of(Stream<T> covering, Supplier<Stream<T>> everyCombination) {
        return ALL ? everyCombination.get() : covering;
    }
}
