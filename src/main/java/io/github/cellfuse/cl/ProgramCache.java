package io.github.cellfuse.cl;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.jocl.cl_program;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled programs on disk, one file each, so that only the first start on a machine compiles. The key of an entry is
 * the SHA-256 of the source, the options, the device, its driver and its platform; a change of any of them leads to
 * another file.
 *
 * <p>A cache can slow a build down, but never fail it. An entry that is damaged or that the driver rejects is logged,
 * deleted and compiled again. A folder that can't be written is logged once and not used. Threads and processes may
 * share a folder.
 *
 * <p>The driver runs what the folder contains. The checksum of an entry finds damage, not an attack. What protects the
 * user is {@link FileTrust}: a folder that another user can write is logged once and not used, and an entry that
 * another user can have written is compiled again. New folders and entries are the user's alone. Thread safe.
 */
public final class ProgramCache {
    private static final Logger LOG = LoggerFactory.getLogger(ProgramCache.class);

    /** The value that turns the cache off, in the property and in the environment. */
    private static final String OFF = "off";

    private final Path folder; // null: disabled
    private final FileTrust trust; // null: this user's, which takes a moment to find out
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong misses = new AtomicLong();
    private final AtomicLong rejected = new AtomicLong();
    private final AtomicLong stored = new AtomicLong();
    private final AtomicBoolean warned = new AtomicBoolean();

    private ProgramCache(Path folder, FileTrust trust) {
        this.folder = folder;
        this.trust = trust;
    }

    /**
     * What the cache has done since it was made.
     *
     * @param hits programs taken from disk
     * @param misses programs compiled from source, for any reason
     * @param rejected entries found but damaged, or refused by the driver; each is a miss as well
     * @param stored entries written
     */
    public record Statistics(long hits, long misses, long rejected, long stored) {}

    /**
     * Returns the user's cache: the folder in the system property {@code cellfuse.cache}, else in the environment
     * variable {@code CELLFUSE_CACHE}, else {@code $XDG_CACHE_HOME/cellfuse} or {@code ~/.cache/cellfuse}; on macOS
     * {@code ~/Library/Caches/cellfuse}, on Windows {@code %LOCALAPPDATA%\cellfuse\cache}. The value {@code off}
     * disables it.
     */
    public static ProgramCache fromEnvironment() {
        return new ProgramCache(folder(System::getProperty, System::getenv).orElse(null), null);
    }

    /**
     * Returns the user's cache; a disabled one for a device whose driver {@link ClDevice#keepsPrograms keeps programs}.
     */
    public static ProgramCache forDevice(ClDevice device) {
        return device.keepsPrograms() ? new ProgramCache(null, null) : fromEnvironment();
    }

    /** Returns the cache in {@code folder}, which is created when it is first used. */
    public static ProgramCache at(Path folder) {
        return at(folder, null);
    }

    /** Returns the same for another trust. */
    static ProgramCache at(Path folder, FileTrust trust) {
        return new ProgramCache(folder.toAbsolutePath(), trust);
    }

    /** Returns where the entries are; empty when the cache is disabled. */
    public Optional<Path> folder() {
        return Optional.ofNullable(folder);
    }

    /** Returns what the cache has done so far. */
    public Statistics statistics() {
        return new Statistics(hits.get(), misses.get(), rejected.get(), stored.get());
    }

    /**
     * Returns a program as {@link ClContext#program} does: from disk if it is there, otherwise compiled and stored.
     *
     * @throws ClBuildException when it does not compile; carries the compiler's log
     */
    public ClProgram program(ClContext context, String name, List<String> sources, String options) {
        Path trusted = folder == null ? null : trustedFolder();
        if (trusted == null) {
            misses.incrementAndGet();
            return context.program(name, sources, options);
        }
        byte[] key = key(context.device(), sources, options);
        Path file = trusted.resolve(HexFormat.of().formatHex(key) + ".clbin");
        Optional<ClProgram> cached = load(context, name, options, file, key);
        if (cached.isPresent()) {
            hits.incrementAndGet();
            LOG.debug("program '{}' taken from {}", name, file);
            return cached.get();
        }
        misses.incrementAndGet();
        ClProgram program = context.program(name, sources, options);
        store(program, file, key);
        return program;
    }

    /**
     * Deletes the entry of a program that was taken from disk and built, but can't be used after all.
     *
     * @param why what failed
     */
    public void discard(ClContext context, String name, List<String> sources, String options, CellFuseException why) {
        Path trusted = folder == null ? null : trustedFolder();
        if (trusted != null) {
            byte[] key = key(context.device(), sources, options);
            discard(name, trusted.resolve(HexFormat.of().formatHex(key) + ".clbin"), why);
        }
    }

    /**
     * Returns the folder, which is created if necessary, without symbolic links, so that changing a link later has no
     * effect; null if it can't be used.
     */
    private Path trustedFolder() {
        try {
            FileTrust.createFolder(folder);
            Path real = folder.toRealPath();
            Optional<String> problem = trust().problemOfFolder(real);
            problem.ifPresent(this::warnOnce);
            return problem.isEmpty() ? real : null;
        } catch (IOException e) {
            warnOnce("write", e);
            return null;
        }
    }

    private FileTrust trust() {
        return trust == null ? FileTrust.ofUser() : trust;
    }

    private static byte[] key(ClDevice device, List<String> sources, String options) {
        Capabilities capabilities = device.capabilities();
        List<String> parts = new ArrayList<>(List.of(
                device.platformName(),
                device.platformVersion(),
                capabilities.name(),
                capabilities.vendor(),
                capabilities.version(),
                capabilities.driverVersion(),
                options));
        parts.addAll(sources);
        return CacheEntry.key(parts);
    }

    private Optional<ClProgram> load(ClContext context, String name, String options, Path file, byte[] key) {
        byte[] binary;
        try {
            Optional<String> problem = trust().problemOfFile(file);
            if (problem.isPresent()) {
                throw new CacheEntry.Damaged(problem.get());
            }
            binary = CacheEntry.read(file, key);
        } catch (NoSuchFileException firstTime) {
            return Optional.empty();
        } catch (CacheEntry.Damaged e) {
            discard(name, file, e);
            return Optional.empty();
        } catch (IOException e) {
            warnOnce("read", e);
            return Optional.empty();
        }
        try {
            cl_program raw = Cl.createProgram(
                    context.raw(), context.device().deviceId(), binary, "cached program '" + name + "'");
            return Optional.of(ClProgram.build(context, name, raw, options));
        } catch (ClException e) {
            discard(name, file, e);
            return Optional.empty();
        }
    }

    private void discard(String name, Path file, Exception why) {
        rejected.incrementAndGet();
        LOG.warn("program '{}' is compiled again: its cache entry {} is unusable ({})", name, file, why.getMessage());
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            warnOnce("clean", e);
        }
    }

    private void store(ClProgram program, Path file, byte[] key) {
        try {
            byte[] binary = program.binary();
            if (binary.length == 0) {
                LOG.debug("{} is not cached: the driver gives no binary", program);
                return;
            }
            CacheEntry.write(file, key, binary);
            stored.incrementAndGet();
        } catch (ClException e) {
            LOG.debug("{} is not cached: {}", program, e.getMessage());
        } catch (IOException e) {
            warnOnce("write", e);
        }
    }

    private void warnOnce(String verb, IOException e) {
        warnOnce("it cannot " + verb + " " + folder + " (" + e + ")");
    }

    private void warnOnce(String reason) {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "the program cache isn't used: {}; programs are compiled each time."
                            + " -Dcellfuse.cache=DIR moves it, "
                            + "-Dcellfuse.cache=off turns it off",
                    reason);
        }
    }

    /**
     * Returns the folder from the property or the environment; empty if it is {@code off} or there is no place for one.
     */
    static Optional<Path> folder(UnaryOperator<String> property, UnaryOperator<String> environment) {
        String chosen = firstSet(property.apply("cellfuse.cache"), environment.apply("CELLFUSE_CACHE"));
        try {
            if (chosen != null) {
                return OFF.equals(chosen)
                        ? Optional.empty()
                        : Optional.of(Path.of(chosen).toAbsolutePath());
            }
            String system = String.valueOf(property.apply("os.name")).toLowerCase(Locale.ROOT);
            String home = property.apply("user.home");
            if (system.startsWith("windows")) {
                String local = environment.apply("LOCALAPPDATA");
                return absolute(local).map(folder -> folder.resolve("cellfuse").resolve("cache"));
            }
            if (system.startsWith("mac")) {
                return absolute(home).map(folder -> folder.resolve("Library/Caches/cellfuse"));
            }
            // The XDG rules: a relative path counts as not set.
            return absolute(environment.apply("XDG_CACHE_HOME"))
                    .or(() -> absolute(home).map(folder -> folder.resolve(".cache")))
                    .map(folder -> folder.resolve("cellfuse"));
        } catch (InvalidPathException e) {
            LOG.warn("no program cache: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static Optional<Path> absolute(String path) {
        return Optional.ofNullable(path).filter(p -> !p.isBlank()).map(Path::of).filter(Path::isAbsolute);
    }

    private static String firstSet(String... values) {
        for (String value : values) {
            if (value != null && !value.isBlank()) {
                return value.strip();
            }
        }
        return null;
    }
}
