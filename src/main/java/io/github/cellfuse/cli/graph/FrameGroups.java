package io.github.cellfuse.cli.graph;

/**
 * The groups of frames that are computed at once.
 *
 * @param frames the number of frames of each stream
 * @param atOnce the number of frames in a group; the last group may have more, so that no group has too few rows
 * @param fewest the fewest frames in a group
 */
public record FrameGroups(long frames, long atOnce, long fewest) {
    /** The most rows, frames times streams, of a group: more are no faster, and take more memory. */
    private static final long MOST_ROWS = 1024;

    /**
     * Returns groups of as many frames as are worth computing at once.
     *
     * @param streams the number of streams
     * @param fewestRows the fewest rows that a run must have
     * @param fitting the most rows that fit in memory
     */
    public static FrameGroups of(long frames, long streams, long fewestRows, long fitting) {
        long each = Math.max(1, streams);
        long fewest = Math.max(1, (fewestRows + each - 1) / each);
        long atOnce = Math.max(fewest, Math.min(frames, Math.min(MOST_ROWS, fitting) / each));
        return new FrameGroups(frames, atOnce, fewest);
    }

    /** Returns the number of frames in the group that begins with frame {@code first}. */
    public int size(long first) {
        long rest = frames - first;
        return (int) (rest - atOnce < fewest ? rest : atOnce);
    }
}
