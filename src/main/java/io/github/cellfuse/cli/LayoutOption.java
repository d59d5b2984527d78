package io.github.cellfuse.cli;

import io.github.cellfuse.Layout;

/** The values of {@code --layout}. */
enum LayoutOption {
    /** One sequence after another. */
    NTC(Layout.BATCH_MAJOR),
    /** One time step after another. */
    TNC(Layout.TIME_MAJOR);

    private final Layout layout;

    LayoutOption(Layout layout) {
        this.layout = layout;
    }

    Layout layout() {
        return layout;
    }

    /** The shape of an input of {@code features} features. */
    String shape(int features) {
        return (this == NTC ? "[N, T, " : "[T, N, ") + features + "] (layout " + this + ")";
    }
}
