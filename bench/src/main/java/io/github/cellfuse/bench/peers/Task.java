package io.github.cellfuse.bench.peers;

/** What contenders compute. */
enum Task {
    /** One LSTM layer, of any shape. */
    LAYER,
    /** A whole graph: {@link Tagger}. Of a shape only time and rows are free. */
    TAGGER
}
