package io.github.cellfuse.cli;

import java.util.Map;

/**
 * The program's log: the library's warnings as short lines on stderr. It configures slf4j-simple by system properties
 * rather than a {@code simplelogger.properties}, because such a file in the library's jar would also configure programs
 * that embed the library.
 */
final class Logging {
    private static final String PREFIX = "org.slf4j.simpleLogger.";

    private static final Map<String, String> SETTINGS = Map.of(
            "logFile", "System.err",
            "defaultLogLevel", "warn",
            "showThreadName", "false",
            "showLogName", "false",
            "showShortLogName", "false",
            "warnLevelString", "cellfuse: warning:",
            "errorLevelString", "cellfuse: error:",
            // The HDF5 reader warns about everything it skips in a damaged file; the command reports the damage once.
            "log.io.jhdf", "off");

    private Logging() {}

    /** Configures the log. Must run before the first logger is created. Properties that the user has set win. */
    static void configure() {
        SETTINGS.forEach((name, value) -> {
            if (System.getProperty(PREFIX + name) == null) {
                System.setProperty(PREFIX + name, value);
            }
        });
    }
}
