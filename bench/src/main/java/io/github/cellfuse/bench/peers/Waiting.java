package io.github.cellfuse.bench.peers;

import java.util.Locale;

/**
 * What a library's threads do while they wait for the next piece of a run. Neither is always best: on a dedicated
 * machine spinning avoids the cost of waking up, on a shared one it takes cores from the thread that all others wait
 * for.
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
