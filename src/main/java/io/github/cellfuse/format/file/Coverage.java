package io.github.cellfuse.format.file;

import java.util.Map;
import java.util.TreeMap;

/** Which of an array's elements have been written, as disjoint ranges: few, as neighbours are joined. Thread safe. */
public final class Coverage {
    /** First element to the one after the last. */
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    /** The elements {@code first} to {@code end - 1} are there. */
    public synchronized void add(long first, long end) {
        if (first == end) {
            return;
        }
        long from = first;
        long to = end;
        // A range that begins at or before our end and doesn't end before our beginning is merged into ours.
        Map.Entry<Long, Long> neighbour = ranges.floorEntry(to);
        while (neighbour != null && neighbour.getValue() >= from) {
            from = Math.min(from, neighbour.getKey());
            to = Math.max(to, neighbour.getValue());
            ranges.remove(neighbour.getKey());
            neighbour = ranges.floorEntry(to);
        }
        ranges.put(from, to);
    }

    /** Returns the number of elements that are there. */
    public synchronized long size() {
        return ranges.entrySet().stream()
                .mapToLong(range -> range.getValue() - range.getKey())
                .sum();
    }

    /** Returns the first element that is missing, counted from 0 on. */
    public synchronized long firstMissing() {
        Map.Entry<Long, Long> first = ranges.firstEntry();
        return first == null || first.getKey() > 0 ? 0 : first.getValue();
    }
}
