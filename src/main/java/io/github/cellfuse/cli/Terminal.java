package io.github.cellfuse.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where stderr goes to. */
final class Terminal {
    private Terminal() {}

    /** Whether stderr is a terminal, on which a line can be written over. */
    static boolean isStderr() {
        // Java only tells of stdin and stdout together; Linux tells what a file descriptor is.
        Path descriptor = Path.of("/proc/self/fd/2");
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
