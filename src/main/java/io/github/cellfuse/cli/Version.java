package io.github.cellfuse.cli;

import picocli.CommandLine.IVersionProvider;

/** Reads the version from the jar's manifest. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        // Classes in a folder, as in tests and editors, have no manifest.
        return new String[] {"cellfuse " + (version == null ? "development" : version)};
    }
}
