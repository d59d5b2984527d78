package io.github.cellfuse.bench.peers;

/** What contenders compute. */
enum Task {
    /** One LSTM layer, of any shape. Approximated activations (ONNX Runtime's) differ by a tenth of the limit. */
    LAYER(1e-4),
    /** A whole graph: {@link Tagger}. Of a shape only time and rows are free. */
    TAGGER(1e-4),
    /** Frames of streams through a whole graph: {@link Voice}. Of a shape only frames and streams are free. */
    VOICE(1e-5);

    private final double largestDifference;

    Task(double largestDifference) {
        this.largestDifference = largestDifference;
    }

    /** Returns how far a result may be from CellFuse's; a swapped gate or a forgotten state is farther. */
    double largestDifference() {
        return largestDifference;
    }
}
