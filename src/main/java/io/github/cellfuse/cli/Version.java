package io.github.cellfuse.cli;

import picocli.CommandLine.IVersionProvider;

/** The version out of the jar's manifest. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        // Classes in a folder, as the tests and an editor run them, have no manifest.
        return new String[] {"cellfuse " + (version == null ? "development" : version)};
    }
}
