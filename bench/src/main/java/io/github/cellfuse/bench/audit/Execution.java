package io.github.cellfuse.bench.audit;

import java.util.Map;

/**
 * What a warp executed. Immutable.
 *
 * @param times how often it executed each line, by position in the listing; lines that it didn't execute are absent
 * @param requests what it asked of global memory
 */
record Execution(Map<Integer, Integer> times, Requests requests) {
    /** Returns how often it executed the line at {@code position}. */
    int times(int position) {
        return times.getOrDefault(position, 0);
    }
}
