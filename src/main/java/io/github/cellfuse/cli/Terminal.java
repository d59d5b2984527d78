package io.github.cellfuse.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Detects terminals. */
final class Terminal {
    private Terminal() {}

    /** Returns whether stderr is a terminal, where a line can be overwritten. */
    static boolean isStderr() {
        return isTerminal(2);
    }

    /** Returns whether a file descriptor is a terminal: 0 for stdin, 1 for stdout, 2 for stderr. */
    static boolean isTerminal(int number) {
        // Java only reports on stdin and stdout together. Linux reports on each file descriptor.
        Path descriptor = Path.of("/proc/self/fd/" + number);
        try {
            if (Files.isSymbolicLink(descriptor)) {
                String device = Files.readSymbolicLink(descriptor).toString();
                return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
            }
        } catch (IOException | SecurityException e) {
            return false;
        }
        return System.console() != null;
    }
}
