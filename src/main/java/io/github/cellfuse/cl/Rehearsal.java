package io.github.cellfuse.cl;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the driver that ends the process while platforms are listed, instead of ending with it. The loader calls all
 * drivers that are installed, so one that calls {@code abort()} makes every device unusable, and nothing in the same
 * process can tell which one it was.
 *
 * <p>A second JVM would cost too much at every start, so it lists the platforms only where that has never gone well: on
 * the first start, after a change of a driver or of the environment that drivers read, and after a process that ended
 * while it listed them. A note of success in the folder of the program cache saves all later starts from it. Only the
 * program does this, by {@code -Dcellfuse.rehearsal=on}: a library must not start processes unasked.
 */
final class Rehearsal {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);

    private static final String VENDORS = "/etc/OpenCL/vendors";
    private static final String VENDORS_VARIABLE = "OCL_ICD_VENDORS";

    /** What drivers and the loader read of the environment begins so. */
    private static final List<String> VARIABLES =
            List.of("OCL_", "OPENCL_", "POCL_", "RUSTICL_", "LD_", "CUDA_", "NVIDIA_", "ROC", "HIP_", "ZE_", "GPU_");

    private static final String NOTE = ".listed", MARK = ".listing";
    private static final int SECONDS = 60, SIGNALS = 128, ABORT = 6;

    /** Bytes of an {@code .icd} file that are read: a path. */
    private static final int MOST_BYTES = 4096;

    /** The line of a JVM's report that names the signal. */
    private static final String REPORT = "(?m)^#  (SIG[A-Z]+) \\(";

    private static final File PROCESSES = new File("/proc");

    /** The notes: where they are, that of success, and that of this process while it lists the platforms. */
    private final File folder, note, mark;

    /**
     * At every start, before anything of this is in the JVM's memory: so neither streams nor {@code java.nio} nor
     * digests, which together would take fifty times as long.
     */
    private Rehearsal(File folder, String process) {
        this.folder = folder;
        note = new File(folder, Long.toHexString(hash(facts())) + NOTE);
        mark = new File(folder, process + MARK);
    }

    /** Returns the rehearsal of this process, if it is to have one. */
    static Optional<Rehearsal> ofThisProcess() {
        Optional<Path> cache = isWanted() ? ProgramCache.fromEnvironment().folder() : Optional.empty();
        if (cache.isEmpty()) {
            return Optional.empty();
        }
        try {
            String process = new File(PROCESSES, "self").getCanonicalFile().getName();
            return Optional.of(new Rehearsal(new File(cache.get().toFile(), "platforms"), process));
        } catch (IOException e) {
            LOG.debug("no rehearsal", e);
            return Optional.empty();
        }
    }

    /** Returns why this process must not list the platforms; empty if it may, and calls {@link #done} afterwards. */
    Optional<String> begin() {
        try {
            return problem();
        } catch (IOException e) {
            LOG.debug("the platforms are listed at once", e); // a folder that can't be written, say
            return Optional.empty();
        }
    }

    private static boolean isWanted() {
        return "on".equals(System.getProperty("cellfuse.rehearsal"))
                && "Linux".equals(System.getProperty("os.name"))
                && !System.getProperty("java.class.path", "").isEmpty();
    }

    private Optional<String> problem() throws IOException {
        if (hasMarkOfTheDead() || !note.exists()) {
            note.delete();
            FileTrust.createFolder(folder.toPath().getParent());
            FileTrust.createFolder(folder.toPath());
            Optional<String> signal = list(Map.of());
            if (signal.isPresent()) {
                return Optional.of(explanation(signal.get()));
            }
        }
        mark.createNewFile();
        return Optional.empty();
    }

    /** Notes that this process has listed the platforms and lives. */
    void done() {
        try {
            note.createNewFile();
        } catch (IOException e) {
            LOG.debug("no note of the platforms", e);
        }
        mark.delete();
    }

    /** Returns whether a process has ended while it listed the platforms, and forgets it. */
    private boolean hasMarkOfTheDead() {
        boolean found = false;
        String[] names = folder.list();
        for (String name : names == null ? new String[0] : names) {
            if (!name.endsWith(MARK)) {
                continue;
            }
            String process = name.substring(0, name.length() - MARK.length());
            File file = new File(folder, name);
            if (file.equals(mark) || !new File(PROCESSES, process).exists()) {
                found |= file.delete();
            }
        }
        return found;
    }

    /** Returns everything that a listing depends on. */
    private static List<String> facts() {
        List<String> facts = new ArrayList<>();
        for (Map.Entry<String, String> each : new TreeMap<>(System.getenv()).entrySet()) {
            for (String beginning : VARIABLES) {
                if (each.getKey().startsWith(beginning)) {
                    facts.add(each.getKey() + "=" + each.getValue());
                }
            }
        }
        for (File icd : drivers()) {
            facts.add(fact(icd));
            File library = library(icd);
            facts.add(library == null ? "no library" : fact(library));
        }
        return facts;
    }

    private static String fact(File file) {
        return file + " " + file.length() + " " + file.lastModified();
    }

    /** Returns a number that differs for lists that differ (FNV-1a of 64 bits); nobody gains by a collision. */
    private static long hash(List<String> texts) {
        long hash = 0xcbf29ce484222325L;
        for (String text : texts) {
            for (int k = 0; k <= text.length(); k++) {
                hash = (hash ^ (k < text.length() ? text.charAt(k) : '\n')) * 0x100000001b3L;
            }
        }
        return hash;
    }

    /** Returns the {@code .icd} files, each of which names the library of a driver, in the order of their names. */
    private static List<File> drivers() {
        String chosen = System.getenv(VENDORS_VARIABLE);
        File place = new File(chosen == null || chosen.isBlank() ? VENDORS : chosen);
        if (place.isFile()) {
            return List.of(place);
        }
        String[] names = place.list();
        List<File> drivers = new ArrayList<>();
        if (names != null) {
            Arrays.sort(names);
            for (String name : names) {
                if (name.endsWith(".icd")) {
                    drivers.add(new File(place, name));
                }
            }
        }
        return drivers;
    }

    /** Returns the name of a driver's library, as its {@code .icd} file has it. */
    private static String libraryName(File icd) {
        try (FileInputStream text = new FileInputStream(icd)) {
            return new String(text.readNBytes(MOST_BYTES), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "unreadable";
        }
    }

    /** Returns a driver's library; null if it isn't where libraries usually are. */
    private static File library(File icd) {
        String name = libraryName(icd);
        if (name.startsWith("/")) {
            return new File(name);
        }
        String folders = System.getenv().getOrDefault("LD_LIBRARY_PATH", "")
                + File.pathSeparator
                + System.getProperty("java.library.path", "");
        StringTokenizer each = new StringTokenizer(folders, File.pathSeparator);
        while (each.hasMoreTokens()) {
            File library = new File(each.nextToken(), name);
            if (library.exists()) {
                return library;
            }
        }
        return null;
    }

    /** Returns which drivers end the process, after asking each in a process of its own. */
    private static String explanation(String ofAll) throws IOException {
        List<String> culprits = new ArrayList<>(), others = new ArrayList<>();
        Path alone = Files.createTempDirectory("cellfuse-driver");
        try {
            for (File icd : drivers()) {
                Path copy = Files.copy(icd.toPath(), alone.resolve(icd.getName()));
                Optional<String> signal = list(Map.of(VENDORS_VARIABLE, alone.toString()));
                Files.delete(copy);
                if (signal.isPresent()) {
                    culprits.add(icd + " (" + libraryName(icd) + ") ends the process with " + signal.get());
                } else {
                    others.add(icd.getName());
                }
            }
        } finally {
            Files.deleteIfExists(alone);
        }
        String remedy = others.isEmpty()
                ? "use --device java"
                : "remove this file, or set " + VENDORS_VARIABLE + " to a folder with the other .icd files ("
                        + String.join(", ", others) + "); --device java needs no driver";
        return culprits.isEmpty()
                ? "OpenCL isn't used: listing its platforms ends the process with " + ofAll
                        + ", and none of the drivers does that alone; --device java needs no driver"
                : "OpenCL isn't used: the driver of " + String.join(", ", culprits) + " while platforms are listed; "
                        + remedy;
    }

    /** Returns the signal that has ended a process, if one has. The JVM reports most of them, and then exits with 1. */
    private static Optional<String> signal(int exit, String output) {
        Matcher report = Pattern.compile(REPORT).matcher(output);
        if (exit != 0 && report.find()) {
            return Optional.of(report.group(1));
        }
        return exit <= SIGNALS
                ? Optional.empty()
                : Optional.of(exit == SIGNALS + ABORT ? "SIGABRT" : "signal " + (exit - SIGNALS));
    }

    /** Lists the platforms in another process and returns the signal that ended it, if one did. */
    private static Optional<String> list(Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-cp",
                System.getProperty("java.class.path"),
                Listing.class.getName());
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true);
        Process process = builder.start();
        process.getOutputStream().close();
        try {
            // One that hangs isn't known to end the process; this one will hang, too, and can be ended by Ctrl-C.
            return process.waitFor(SECONDS, TimeUnit.SECONDS)
                    ? signal(
                            process.exitValue(),
                            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    : Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            process.destroyForcibly();
        }
    }

    /** The program of the other process. */
    static final class Listing {
        private Listing() {}

        public static void main(String[] words) {
            Probe.run();
            Runtime.getRuntime().halt(0); // what a driver does at its end is no matter of the listing
        }
    }
}
