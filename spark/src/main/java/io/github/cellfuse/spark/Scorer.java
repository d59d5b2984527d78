package io.github.cellfuse.spark;

import java.util.List;

/**
 * Computes batches of rows in one task. Not thread safe.
 *
 * @param <S> a row that was read and checked
 */
interface Scorer<S> extends AutoCloseable {
    /**
     * Reads a row from the values of its columns.
     *
     * @throws BadRow if it can't be computed
     */
    S read(Object... values) throws BadRow;

    /** Returns whether a batch of these rows can have {@code next} beside them, by its shape and its memory. */
    boolean accepts(List<S> batch, S next);

    /** Computes a batch and returns the results of each row, one a column. */
    List<Object[]> run(List<S> batch);

    /** Returns the steps that the last batch held past the lengths of its rows. */
    long paddingSteps();

    @Override
    void close();
}
