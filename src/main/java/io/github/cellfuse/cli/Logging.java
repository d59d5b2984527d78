package io.github.cellfuse.cli;

import java.util.Map;

/**
 * The program's log: the library's warnings as short lines on stderr, unless the program is to be quiet. It configures
 * slf4j-simple by system properties rather than a {@code simplelogger.properties}, because such a file in the library's
 * jar would also configure programs that embed the library.
 */
final class Logging {
    private static final String PREFIX = "org.slf4j.simpleLogger.";

    private static final String LEVEL = "defaultLogLevel";

    private static final Map<String, String> SETTINGS = Map.of(
            "logFile", "System.err",
            "showThreadName", "false",
            "showLogName", "false",
            "showShortLogName", "false",
            "warnLevelString", "cellfuse: warning:",
            "errorLevelString", "cellfuse: error:",
            // The HDF5 reader warns about everything it skips in a damaged file; the command reports the damage once.
            "log.io.jhdf", "off");

    private Logging() {}

    /**
     * Configures the log. Must run before the first logger is created. Properties that the user has set win.
     *
     * @param isQuiet whether to leave out warnings
     */
    static void configure(boolean isQuiet) {
        SETTINGS.forEach(Logging::setDefault);
        setDefault(LEVEL, isQuiet ? "error" : "warn");
    }

    private static void setDefault(String name, String value) {
        if (System.getProperty(PREFIX + name) == null) {
            System.setProperty(PREFIX + name, value);
        }
    }
}
