package io.github.cellfuse.cli.trace;

/**
 * The steps that a trace shows.
 *
 * @param first the first step, from 0 on
 * @param end the step after the last one
 */
public record StepWindow(int first, int end) {
    /** All steps. */
    public static final StepWindow ALL = new StepWindow(0, Integer.MAX_VALUE);

    /** Returns the part of the window that a row of {@code length} steps has. */
    StepWindow of(int length) {
        int last = Math.min(end, length);
        return new StepWindow(Math.min(first, last), last);
    }

    int count() {
        return end - first;
    }
}
