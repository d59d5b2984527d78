package io.github.cellfuse.cli;

import io.github.cellfuse.Layout;

/** The values of {@code --layout}. */
public enum LayoutOption {
    /** Rows first. */
    NTC(Layout.BATCH_MAJOR),
    /** Time steps first. */
    TNC(Layout.TIME_MAJOR);

    private final Layout layout;

    LayoutOption(Layout layout) {
        this.layout = layout;
    }

    public Layout layout() {
        return layout;
    }

    /** Returns the shape of an input with {@code features} features, as messages show it. */
    public String shape(int features) {
        return (this == NTC ? "[N, T, " : "[T, N, ") + features + "] (layout " + this + ")";
    }
}
