package io.github.cellfuse.verify;

/** The agreement of the time steps {@code first} to {@code last}, both included. */
public record StepRange(int first, int last, Agreement agreement) {
    /** Returns the steps for people, such as {@code 7} or {@code 4-6}. */
    public String steps() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
