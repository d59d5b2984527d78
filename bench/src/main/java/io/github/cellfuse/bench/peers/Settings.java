package io.github.cellfuse.bench.peers;

/**
 * How a contender runs.
 *
 * @param threads of each contender
 * @param waiting of its threads
 * @param device CellFuse's device
 */
record Settings(int threads, Waiting waiting, String device) {}
