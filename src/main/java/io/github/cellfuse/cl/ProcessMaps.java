package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files that Linux has mapped into this process, such as its libraries. */
final class ProcessMaps {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessMaps.class);
    private static final Path MAPS = Path.of("/proc/self/maps");

    private ProcessMaps() {}

    /** Returns the names of the mapped files; empty if the system doesn't tell, as only Linux does. */
    static Optional<Set<String>> files() {
        if (!Files.exists(MAPS)) {
            return Optional.empty();
        }
        try {
            // ISO 8859-1 takes any file name that may stand there.
            return Optional.of(Files.readString(MAPS, StandardCharsets.ISO_8859_1)
                    .lines()
                    .filter(line -> line.indexOf('/') >= 0)
                    .map(line -> line.substring(line.indexOf('/')))
                    .collect(Collectors.toSet()));
        } catch (IOException e) {
            LOG.debug("{} can't be read", MAPS, e);
            return Optional.empty();
        }
    }
}
