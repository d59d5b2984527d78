package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ProgramCache;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.program.KernelSource;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of what was tuned on one device. Reading never fails: what can't be used is said once in the log and counts as nothing.
 * Threads and processes may read and update it at once: each sees it whole.
 */
public final class TunedFile {
    private static final Logger LOG = LoggerFactory.getLogger(TunedFile.class);
    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();
    private static final String OFF = "off";

    /** Thousands of entries are smaller; a larger file was not written here. */
    private static final long MAX_BYTES = 1 << 20;

    /** Characters of the device's name in the file's. */
    private static final int NAME_KEPT = 48;

    private final Path path;
    private final Capabilities device;

    private TunedFile(Path path, Capabilities device) {
        this.path = path;
        this.device = device;
    }

    /**
     * The file of {@code device} in the folder that the system property {@code cellfuse.tuned} or else the environment variable
     * {@code CELLFUSE_TUNED} names, or else in {@code tuned} in the program cache's folder; empty when that is {@code off}.
     */
    public static Optional<TunedFile> of(Capabilities device) {
        return folder(
                        System::getProperty,
                        System::getenv,
                        ProgramCache.fromEnvironment().folder())
                .map(folder -> at(folder, device));
    }

    /** The file of {@code device} in {@code folder}, which is created when first written to. */
    static TunedFile at(Path folder, Capabilities device) {
        return new TunedFile(folder.resolve(name(device)), device);
    }

    static Optional<Path> folder(
            UnaryOperator<String> property, UnaryOperator<String> environment, Optional<Path> cache) {
        String chosen = property.apply("cellfuse.tuned");
        if (chosen == null || chosen.isBlank()) {
            chosen = environment.apply("CELLFUSE_TUNED");
        }
        if (chosen == null || chosen.isBlank()) {
            return cache.map(folder -> folder.resolve("tuned"));
        }
        try {
            return chosen.strip().equals(OFF)
                    ? Optional.empty()
                    : Optional.of(Path.of(chosen.strip()).toAbsolutePath());
        } catch (InvalidPathException e) {
            warn("no tuned plans: cellfuse.tuned: expected a folder, found " + e.getMessage());
            return Optional.empty();
        }
    }

    /** For people the device's name, and for the rest a hash of what makes a measurement another device's. */
    private static String name(Capabilities device) {
        String readable = device.name().replaceAll("[^A-Za-z0-9]+", "-");
        String all = String.join(
                "\n", device.name(), device.version(), device.driverVersion(), Integer.toString(device.computeUnits()));
        byte[] digest = KernelSource.sha256().digest(all.getBytes(StandardCharsets.UTF_8));
        return readable.substring(0, Math.min(NAME_KEPT, readable.length())) + "-"
                + HexFormat.of().formatHex(digest, 0, 6) + ".txt";
    }

    Path path() {
        return path;
    }

    /** What can be used of the file: nothing where there is none. */
    public Optional<Tuned> read() {
        try {
            long size = Files.size(path);
            if (size > MAX_BYTES) {
                throw new TunedText.Unusable("size", "at most " + MAX_BYTES + " bytes", size);
            }
            // Every byte is a character: what isn't UTF-8 is found where it stands.
            String text = new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
            return Optional.of(TunedText.read(text, device));
        } catch (NoSuchFileException neverTuned) {
            return Optional.empty();
        } catch (TunedText.Unusable e) {
            ignore(e.getMessage());
        } catch (IOException e) {
            ignore("content: expected a file to read, found " + e);
        }
        return Optional.empty();
    }

    /** Says once that the file, or a part of it, goes unused, and why. */
    void ignore(String why) {
        warn(path + " is ignored: " + why + "; 'cellfuse tune' makes it anew");
    }

    private static void warn(String what) {
        if (WARNED.add(what)) {
            LOG.warn("{}", what);
        }
    }

    /**
     * Puts {@code winners} in the place of whatever was stored for {@code measured}, and {@code speed} in the place of an earlier one;
     * other entries stay.
     *
     * @throws IOException when the folder can't be written
     */
    void update(DeviceSpeed speed, Collection<TunedEntry.Key> measured, Collection<TunedEntry> winners)
            throws IOException {
        Files.createDirectories(path.getParent());
        // Within a process locks of files exclude nobody, they throw.
        synchronized (TunedFile.class) {
            try (FileChannel channel = FileChannel.open(
                    path.resolveSibling(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                FileLock lock = lock(channel);
                try {
                    Map<TunedEntry.Key, TunedEntry> entries = new LinkedHashMap<>();
                    read().ifPresent(tuned -> tuned.entries().forEach(entry -> entries.put(entry.key(), entry)));
                    measured.forEach(entries::remove);
                    winners.forEach(entry -> entries.put(entry.key(), entry));
                    write(TunedText.write(device, new Tuned(speed, List.copyOf(entries.values()))));
                } finally {
                    if (lock != null) {
                        lock.release();
                    }
                }
            }
        }
    }

    /** Not every network's file system has locks; without one the file is whole still, but of two that tune at once one may win. */
    private static FileLock lock(FileChannel channel) {
        try {
            return channel.lock();
        } catch (IOException e) {
            LOG.debug("no lock: {}", e.toString());
            return null;
        }
    }

    /** Writes beside it, then renames: another process sees the old file or the new one. */
    private void write(String text) throws IOException {
        Path unfinished = Files.createTempFile(path.getParent(), "unfinished-", ".tmp");
        try {
            Files.writeString(unfinished, text);
            Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /**
     * Deletes the file.
     *
     * @return whether there was one
     * @throws IOException when it can't be deleted
     */
    boolean delete() throws IOException {
        return Files.deleteIfExists(path);
    }
}
