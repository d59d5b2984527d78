package io.github.cellfuse.bench.peers;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a contender runs.
 *
 * @param task what it computes
 * @param threads of each contender
 * @param waiting of its threads
 * @param device CellFuse's device
 * @param tuning seconds of {@code cellfuse tune} before CellFuse's first run of a shape; 0 for none
 * @param tuned folder for what that finds; nothing that was tuned outside counts
 * @param voiceModel the file of {@link Task#VOICE}'s model; empty for {@link Voice#model()}
 */
record Settings(
        Task task, int threads, Waiting waiting, String device, double tuning, Path tuned, Optional<Path> voiceModel) {
    /** Returns the same settings for threads that wait in another way. */
    Settings with(Waiting waiting) {
        return new Settings(task, threads, waiting, device, tuning, tuned, voiceModel);
    }

    /** Returns the same settings for another number of threads. */
    Settings withThreads(int threads) {
        return new Settings(task, threads, waiting, device, tuning, tuned, voiceModel);
    }
}
