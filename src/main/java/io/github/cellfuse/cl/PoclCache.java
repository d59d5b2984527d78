package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The folder where PoCL keeps compiled kernels. PoCL creates it when its devices are listed. If that fails, it lists
 * none and gives no reason. If the folder is a file, it lists its devices, and every build fails without a reason.
 */
final class PoclCache {
    private PoclCache() {}

    /** Returns whether the platform of that name is PoCL. */
    static boolean isPocl(String platformName) {
        return platformName.contains("Portable Computing Language");
    }

    /** Returns a sentence that says why PoCL can't use its folder, and what to do; empty if it can. */
    static Optional<String> problem() {
        return problem(System::getenv);
    }

    /** Returns the problem with the folder that {@code environment} names, by PoCL's own rules. */
    static Optional<String> problem(UnaryOperator<String> environment) {
        String variable = null;
        Path folder;
        try {
            folder = Path.of("/tmp/pocl/kcache");
            for (Place place : Place.values()) {
                String value = environment.apply(place.variable);
                if (value != null && !value.isEmpty()) {
                    folder = Path.of(value).resolve(place.below);
                    variable = place.variable;
                    break;
                }
            }
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
        String reason = reason(folder);
        return reason == null
                ? Optional.empty()
                : Optional.of("PoCL needs a folder for compiled kernels, and can't write to " + folder
                        + (variable == null ? "" : " (from " + variable + ")") + ": " + reason
                        + "; set POCL_CACHE_DIR to a folder that it can write to");
    }

    /** Where PoCL looks, in this order. */
    private enum Place {
        POCL("POCL_CACHE_DIR", ""),
        XDG("XDG_CACHE_HOME", "pocl/kcache"),
        HOME("HOME", ".cache/pocl/kcache");

        private final String variable;
        private final String below;

        Place(String variable, String below) {
            this.variable = variable;
            this.below = below;
        }
    }

    /**
     * Returns why nothing can be written to {@code folder}; null if it can. Tries it, as permissions don't tell all.
     */
    private static String reason(Path folder) {
        try {
            Files.createDirectories(folder); // as PoCL would have
            Files.delete(Files.createTempFile(folder, "cellfuse-", ".tmp"));
            return null;
        } catch (FileAlreadyExistsException e) {
            return e.getFile() + " is not a folder";
        } catch (IOException e) {
            return e.getClass().getSimpleName() + ": " + e.getMessage();
        }
    }
}
