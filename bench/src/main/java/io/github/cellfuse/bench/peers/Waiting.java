package io.github.cellfuse.bench.peers;

import java.util.Locale;

/**
 * What a library's threads do while they wait for the next piece of a run. Neither is best everywhere: on a machine of its own
 * spinning saves the waking up, on a shared one it keeps the cores from the thread that everybody waits for.
 */
enum Waiting {
    /** As the libraries are set up by themselves. */
    SPIN,
    /** Leave the core at once. */
    SLEEP;

    /** In commands, tables and JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
