package io.github.cellfuse.bench.peers;

import java.nio.file.Path;

/**
 * How a contender runs.
 *
 * @param task what it computes
 * @param threads of each contender
 * @param waiting of its threads
 * @param device CellFuse's device
 * @param tuning seconds of {@code cellfuse tune} before CellFuse's first run of a shape; 0 for none
 * @param tuned folder for what that finds; nothing that was tuned outside counts
 */
record Settings(Task task, int threads, Waiting waiting, String device, double tuning, Path tuned) {}
