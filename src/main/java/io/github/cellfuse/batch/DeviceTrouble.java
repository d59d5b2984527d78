package io.github.cellfuse.batch;

import io.github.cellfuse.Device;

/**
 * A failure of a device at a chunk, and what the job does about it.
 *
 * @param device the device that failed
 * @param firstRow the first row of the chunk, or the row that was found to be wrong
 * @param rows the rows of the chunk, or 1
 * @param action what the job does
 * @param reason one line that says what failed
 */
public record DeviceTrouble(Device device, long firstRow, int rows, Action action, String reason) {
    /** What a job does about a failure. */
    public enum Action {
        /** Runs the chunk again on the same device, in a new session. */
        RETRY("trying again"),
        /** Runs half as many rows at a time on this device from now on, as its memory was too small. */
        HALVE("going on with half as many rows at a time"),
        /** Leaves the chunk to another device; this one goes on with other chunks. */
        MOVE("leaving these rows to another device"),
        /** Uses the device no more. */
        DROP("going on without this device"),
        /** Uses the device no more, as a result was wrong, and computes all rows again that it has done in this job. */
        DISTRUST("computing all rows of this device again, without it");

        private final String words;

        Action(String words) {
            this.words = words;
        }
    }

    /** Returns one line for people. */
    @Override
    public String toString() {
        return device + ": " + new Rows(firstRow, rows) + ": " + reason + "; " + action.words;
    }
}
