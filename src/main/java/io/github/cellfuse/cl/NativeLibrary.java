package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jocl.CL;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads JOCL's native library, which in turn loads the machine's OpenCL loader. A failure becomes a message. */
final class NativeLibrary {
    private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);

    /**
     * JOCL's switch to unpack its library under a name of its own. JOCL reads it once, while its class is initialized,
     * so it is set for that long. A thread of the host program that loads another JOCL in the same moment gets a name
     * of its own as well, which does no harm. A value that the host program has set is left alone.
     */
    private static final String UNIQUE_NAMES = "uniqueLibraryNames";

    /** The name of JOCL, its version, the system and the processor, and a UUID. */
    private static final Pattern UNPACKED = Pattern.compile(
            ".*/libJOCL_\\d+_\\d+_\\d+-linux-\\w+-\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}\\.so");

    private static final String NO_LOADER =
            "there is no OpenCL loader on this machine (libOpenCL.so.1, OpenCL.dll or OpenCL.framework); "
                    + Status.INSTALL;

    private NativeLibrary() {}

    /** Loads the library; returns what is missing as a sentence, or an empty string. Never throws. */
    static synchronized String load() {
        if (certainlyNoLoader(Path.of("/etc/ld.so.cache"), librariesFolders())) {
            return NO_LOADER;
        }
        // JOCL unpacks its library to one fixed name in the temporary folder, which a second process starting at the
        // same moment can find half-written, and which anyone may have put there. Nor can two class loaders load one
        // file. A unique name, deleted at exit, has none of these faults. On Windows a loaded library cannot be
        // deleted, and the temporary folder is the user's own.
        boolean windows =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
        boolean ours = !windows && System.getProperty(UNIQUE_NAMES) == null;
        if (ours) {
            System.setProperty(UNIQUE_NAMES, "true");
        }
        Set<String> before = unpackedLibraries();
        try {
            CL.stringFor_errorCode(CL.CL_SUCCESS); // any use of the class runs its static initialiser, which loads
            if (ours) {
                deleteUnpacked(before);
            }
            return "";
        } catch (LinkageError | RuntimeException e) {
            LOG.debug("JOCL could not be loaded", e);
            return explain(e);
        } finally {
            if (ours) {
                System.getProperties().remove(UNIQUE_NAMES, "true");
            }
        }
    }

    /**
     * Deletes the file of JOCL's library that was just loaded. JOCL deletes it when the process ends in order, and a
     * process that is killed would leave it behind. On Linux a loaded library doesn't need its file. The file is
     * certainly ours: JOCL has just given it a random name, and this process has mapped it since {@code before}.
     */
    private static void deleteUnpacked(Set<String> before) {
        for (String file : unpackedLibraries()) {
            if (!before.contains(file)) {
                try {
                    Files.deleteIfExists(Path.of(file));
                } catch (IOException | InvalidPathException e) {
                    LOG.debug("{} stays until the process ends", file, e);
                }
            }
        }
    }

    /** Returns the libraries in this process that JOCL has unpacked under unique names; empty except on Linux. */
    private static Set<String> unpackedLibraries() {
        return ProcessMaps.files().orElse(Set.of()).stream()
                .filter(file -> UNPACKED.matcher(file).matches())
                .collect(Collectors.toSet());
    }

    /**
     * Whether a Linux machine has no OpenCL loader for certain: the dynamic linker's index does not know one, and no
     * folder that it looks through besides holds one. JOCL finds out as well, but says so on the process's standard
     * output, where it would spoil what the program writes. Without an index (musl, NixOS) nothing is certain, and JOCL
     * tries.
     */
    static boolean certainlyNoLoader(Path index, List<Path> folders) {
        try {
            // The index is binary, but the names in it are plain text.
            if (new String(Files.readAllBytes(index), StandardCharsets.ISO_8859_1).contains("libOpenCL.so")) {
                return false;
            }
            return folders.stream()
                    .noneMatch(folder -> Files.exists(folder.resolve("libOpenCL.so.1"))
                            || Files.exists(folder.resolve("libOpenCL.so")));
        } catch (IOException | RuntimeException unknown) {
            return false;
        }
    }

    private static List<Path> librariesFolders() {
        String given = System.getenv("LD_LIBRARY_PATH");
        String all = "/lib:/usr/lib:/lib64:/usr/lib64:" + System.getProperty("java.library.path", "")
                + (given == null ? "" : ":" + given);
        try {
            return Stream.of(all.split("[:;]")).map(Path::of).toList();
        } catch (InvalidPathException e) {
            return List.of(Path.of("."));
        }
    }

    private static String explain(Throwable e) {
        String message = String.valueOf(e.getMessage());
        if (message.contains("native OpenCL library")) {
            return NO_LOADER;
        }
        if (message.contains("loading native library")) {
            return "JOCL has no native library that loads on " + System.getProperty("os.name") + " "
                    + System.getProperty("os.arch")
                    + " (it has one for Linux and macOS on x86-64 and arm64, and Windows on "
                    + "x86-64), or the temporary folder " + System.getProperty("java.io.tmpdir") + " cannot hold it";
        }
        return "OpenCL could not be loaded: " + message.lines().findFirst().orElse(e.toString());
    }
}
