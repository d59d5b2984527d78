package io.github.cellfuse.verify;

import java.util.List;
import java.util.OptionalInt;

/**
 * The comparison of one stage: the whole model, or one layer by itself whose input is the Java engine's output of the
 * layer below. A fault in a layer shows in its own stage and in the whole model, but not in the stages of the layers
 * above.
 *
 * @param name {@code "model"} or {@code "layer 0"} …
 * @param y outputs {@code [N,T,D·P]}
 * @param h final hidden states {@code [L·D,N,P]}
 * @param c final cell states {@code [L·D,N,H]}
 * @param steps the outputs again, by time step; neighboring steps are combined if there are many
 * @param firstDifferingStep the first time step at which the bits of an output differ
 */
public record StageReport(
        String name, Agreement y, Agreement h, Agreement c, List<StepRange> steps, OptionalInt firstDifferingStep) {

    /** Returns the same under another name. */
    StageReport named(String other) {
        return new StageReport(other, y, h, c, steps, firstDifferingStep);
    }

    /** Returns the three tensors. */
    public List<Agreement> tensors() {
        return List.of(y, h, c);
    }

    /** Returns the number of values that differ in their bits. */
    public long differing() {
        return tensors().stream().mapToLong(Agreement::differing).sum();
    }

    /** Returns the number of judged values that exceed their bound. */
    public long violations() {
        return tensors().stream().mapToLong(Agreement::violations).sum();
    }
}
