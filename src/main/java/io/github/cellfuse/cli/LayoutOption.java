package io.github.cellfuse.cli;

import io.github.cellfuse.Layout;

/** The values of {@code --layout}. */
public enum LayoutOption {
    /** One sequence after another. */
    NTC(Layout.BATCH_MAJOR),
    /** One time step after another. */
    TNC(Layout.TIME_MAJOR);

    private final Layout layout;

    LayoutOption(Layout layout) {
        this.layout = layout;
    }

    public Layout layout() {
        return layout;
    }

    /** The shape of an input of {@code features} features. */
    public String shape(int features) {
        return (this == NTC ? "[N, T, " : "[T, N, ") + features + "] (layout " + this + ")";
    }
}
