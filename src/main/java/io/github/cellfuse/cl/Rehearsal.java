package io.github.cellfuse.cl;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
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

    private static final Path VENDORS = Path.of("/etc/OpenCL/vendors");
    private static final String VENDORS_VARIABLE = "OCL_ICD_VENDORS";

    /** What drivers and the loader read of the environment begins so. */
    private static final List<String> VARIABLES =
            List.of("OCL_", "OPENCL_", "POCL_", "RUSTICL_", "LD_", "CUDA_", "NVIDIA_", "ROC", "HIP_", "ZE_", "GPU_");

    private static final String NOTE = ".listed", MARK = ".listing";
    private static final int SECONDS = 60, SIGNALS = 128, ABORT = 6;

    /** The line of a JVM's report that names the signal. */
    private static final Pattern REPORT = Pattern.compile("(?m)^#  (SIG[A-Z]+) \\(");

    /** The notes; null where there is no place for them. */
    private final Path folder;

    private final Path note;
    private final Path mark;

    private Rehearsal(Path folder) {
        this.folder = folder;
        note = folder.resolve(HexFormat.of().formatHex(CacheEntry.key(facts())).substring(0, 32) + NOTE);
        mark = folder.resolve(ProcessHandle.current().pid() + MARK);
    }

    /**
     * Returns why this process must not list the platforms; empty if it may, and then {@link #done} says that it has.
     */
    static Optional<String> begin() {
        return current().flatMap(Rehearsal::problem);
    }

    /** Notes that this process has listed the platforms and lives. */
    static void done() {
        current().ifPresent(Rehearsal::succeed);
    }

    private static Optional<Rehearsal> current() {
        boolean isWanted = "on".equals(System.getProperty("cellfuse.rehearsal"))
                && System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux")
                && !System.getProperty("java.class.path", "").isEmpty();
        return isWanted
                ? ProgramCache.fromEnvironment().folder().map(cache -> new Rehearsal(cache.resolve("platforms")))
                : Optional.empty();
    }

    private Optional<String> problem() {
        try {
            FileTrust.createFolder(folder.getParent());
            FileTrust.createFolder(folder);
            boolean hasDied = hasMarkOfTheDead();
            if (hasDied) {
                Files.deleteIfExists(note);
            }
            if (!Files.exists(note)) {
                Optional<String> signal = list(Map.of());
                if (signal.isPresent()) {
                    return Optional.of(explanation(signal.get()));
                }
            }
            Files.write(mark, new byte[0]);
            return Optional.empty();
        } catch (IOException e) {
            LOG.debug("the platforms are listed at once", e); // a folder that can't be written, say
            return Optional.empty();
        }
    }

    private void succeed() {
        try {
            if (!Files.exists(note)) {
                Files.write(note, new byte[0]);
            }
            Files.deleteIfExists(mark);
        } catch (IOException e) {
            LOG.debug("no note of the platforms", e);
        }
    }

    /** Returns whether a process has ended while it listed the platforms, and forgets it. */
    private boolean hasMarkOfTheDead() throws IOException {
        boolean found = false;
        try (DirectoryStream<Path> marks = Files.newDirectoryStream(folder, "*" + MARK)) {
            for (Path each : marks) {
                String pid = each.getFileName().toString().replace(MARK, "");
                boolean lives = pid.matches("\\d{1,18}")
                        && ProcessHandle.of(Long.parseLong(pid)).isPresent();
                if (!lives || each.equals(mark)) {
                    Files.deleteIfExists(each);
                    found = true;
                }
            }
        }
        return found;
    }

    /** Returns everything that a listing depends on. */
    private static List<String> facts() {
        List<String> facts = new ArrayList<>();
        new TreeMap<>(System.getenv()).forEach((name, value) -> {
            if (VARIABLES.stream().anyMatch(name::startsWith)) {
                facts.add(name + "=" + value);
            }
        });
        List<Path> files = new ArrayList<>(drivers());
        drivers().stream().flatMap(icd -> library(icd).stream()).forEach(files::add);
        for (Path file : files) {
            try {
                facts.add(file + " " + Files.size(file) + " " + Files.getLastModifiedTime(file));
            } catch (IOException e) {
                facts.add(file + " can't be read");
            }
        }
        return facts;
    }

    /** Returns the {@code .icd} files, each of which names the library of a driver. */
    private static List<Path> drivers() {
        String chosen = System.getenv(VENDORS_VARIABLE);
        Path place = chosen == null || chosen.isBlank() ? VENDORS : Path.of(chosen);
        if (!Files.isDirectory(place)) {
            return Files.isRegularFile(place) ? List.of(place) : List.of();
        }
        try (Stream<Path> files = Files.list(place)) {
            return files.filter(file -> file.toString().endsWith(".icd"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Returns the name of a driver's library, as its {@code .icd} file has it. */
    private static String libraryName(Path icd) {
        try {
            return Files.readString(icd).strip();
        } catch (IOException e) {
            return "unreadable";
        }
    }

    /** Returns a driver's library, if it is where libraries usually are. */
    private static Optional<Path> library(Path icd) {
        String name = libraryName(icd);
        if (name.startsWith("/")) {
            return Optional.of(Path.of(name)).filter(Files::exists);
        }
        String folders = System.getenv().getOrDefault("LD_LIBRARY_PATH", "")
                + File.pathSeparator
                + System.getProperty("java.library.path", "");
        return Stream.of(folders.split(File.pathSeparator))
                .filter(folder -> !folder.isBlank())
                .map(folder -> Path.of(folder).resolve(name))
                .filter(Files::exists)
                .findFirst();
    }

    /** Returns which drivers end the process, after asking each in a process of its own. */
    private static String explanation(String ofAll) throws IOException {
        List<String> culprits = new ArrayList<>(), others = new ArrayList<>();
        Path alone = Files.createTempDirectory("cellfuse-driver");
        try {
            for (Path icd : drivers()) {
                Path copy = Files.copy(icd, alone.resolve(icd.getFileName()));
                Optional<String> signal = list(Map.of(VENDORS_VARIABLE, alone.toString()));
                Files.delete(copy);
                if (signal.isPresent()) {
                    culprits.add(icd + " (" + libraryName(icd) + ") ends the process with " + signal.get());
                } else {
                    others.add(icd.getFileName().toString());
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
        Matcher report = REPORT.matcher(output);
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
