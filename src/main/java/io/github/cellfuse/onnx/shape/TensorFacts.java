package io.github.cellfuse.onnx.shape;

import java.util.List;
import java.util.Optional;

/**
 * What is known of a tensor before a run. There are four kinds:
 *
 * <ul>
 *   <li>It depends neither on what is in the rows nor on their number: nothing but {@code dims} and {@code elements}.
 *   <li>It holds rows: each index of its axis {@code rows} depends on one row only, and not on the number of rows.
 *   <li>It is a number, or a vector of numbers, computed from the number of rows: its {@code elements} are known.
 *   <li>It depends on the rows in any other way: {@code end} says why. So does all that is computed from it.
 * </ul>
 *
 * @param dims its dimensions, if their number is known
 * @param elements its elements in C order, if they are few and known: numbers that nodes compute from shapes
 * @param rows where it holds the rows; empty if it doesn't depend on what is in the rows
 * @param end why its rows can't be followed, if they can't
 */
record TensorFacts(
        Optional<List<Size>> dims, Optional<List<Size>> elements, Optional<RowAxis> rows, Optional<RowEnd> end) {
    /** The most elements that are followed; shapes are shorter. */
    static final int MOST_ELEMENTS = 64;

    static final TensorFacts UNKNOWN =
            new TensorFacts(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    TensorFacts {
        dims = dims.map(List::copyOf);
        elements = elements.map(List::copyOf);
    }

    /** Returns the facts of a tensor that doesn't depend on the rows. */
    static TensorFacts of(List<Size> dims) {
        return new TensorFacts(Optional.of(dims), Optional.empty(), Optional.empty(), Optional.empty());
    }

    static TensorFacts ended(RowEnd end) {
        return new TensorFacts(Optional.empty(), Optional.empty(), Optional.empty(), Optional.of(end));
    }

    /** Returns the facts of a single whole number. */
    static TensorFacts scalar(Size element) {
        return of(List.of()).withElements(List.of(element));
    }

    /** Returns the facts of a vector of whole numbers. */
    static TensorFacts vector(List<Size> elements) {
        return of(List.of(Size.of(elements.size()))).withElements(elements);
    }

    TensorFacts withElements(List<Size> known) {
        return known.size() > MOST_ELEMENTS ? this : new TensorFacts(dims, Optional.of(known), rows, end);
    }

    TensorFacts withRows(Optional<RowAxis> known) {
        return new TensorFacts(dims, elements, known, end);
    }

    /** Returns the same facts without the elements. */
    TensorFacts withoutElements() {
        return new TensorFacts(dims, Optional.empty(), rows, end);
    }

    /** Returns whether an element depends on the number of rows. */
    boolean countsRows() {
        return elements.stream().flatMap(List::stream).anyMatch(Size::isOfRows);
    }

    /** Returns whether the tensor is the same however many rows a run has, and whatever is in them. */
    boolean isIndependent() {
        return rows.isEmpty()
                && end.isEmpty()
                && !countsRows()
                && dims.stream().flatMap(List::stream).noneMatch(Size::isOfRows);
    }

    /** Returns the elements if they are all known numbers. */
    Optional<long[]> numbers() {
        return elements.filter(all -> all.stream().allMatch(e -> e.fixed().isPresent()))
                .map(all -> all.stream().mapToLong(e -> e.fixed().getAsLong()).toArray());
    }
}
