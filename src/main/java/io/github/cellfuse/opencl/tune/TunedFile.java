package io.github.cellfuse.opencl.tune;

import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.FileTrust;
import io.github.cellfuse.cl.ProgramCache;
import io.github.cellfuse.opencl.device.DeviceSpeed;
import io.github.cellfuse.opencl.program.KernelSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
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
 * The file that stores the tuned entries of one device. Reading never fails: a file that can't be used counts as
 * missing, with one warning in the log. Threads and processes may read and update the file at the same time: each sees
 * a whole file.
 */
public final class TunedFile {
    private static final Logger LOG = LoggerFactory.getLogger(TunedFile.class);
    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();
    private static final String OFF = "off";

    /** Thousands of entries are smaller, so a larger file is not one of ours. */
    private static final int MAX_BYTES = 1 << 20;

    /** Characters of the device's name in the name of the file. */
    private static final int NAME_KEPT = 48;

    private final Path path;
    private final Capabilities device;

    private TunedFile(Path path, Capabilities device) {
        this.path = path;
        this.device = device;
    }

    /**
     * Returns the file of {@code device} in the folder that the system property {@code cellfuse.tuned} names, or else
     * the environment variable {@code CELLFUSE_TUNED}, or else in {@code tuned} in the folder of the program cache.
     * Returns empty if the name is {@code off}, or if nothing names a folder.
     */
    public static Optional<TunedFile> of(Capabilities device) {
        return folder(
                        System::getProperty,
                        System::getenv,
                        ProgramCache.fromEnvironment().folder())
                .map(folder -> at(folder, device));
    }

    /** Returns the file of {@code device} in {@code folder}; the first update creates both. */
    static TunedFile at(Path folder, Capabilities device) {
        return new TunedFile(folder.resolve(name(device)), device);
    }

    /** Returns the folder of the files, from settings and the folder of the program {@code cache}. */
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
            warn("tuned plans are disabled: cellfuse.tuned: expected a folder, found " + e.getMessage());
            return Optional.empty();
        }
    }

    /**
     * Returns the name of the device, for people, with a hash of all that makes it a different device for measurements.
     */
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

    /** Returns the content of the file; empty if there is no file, or if it can't be used. */
    public Optional<Tuned> read() {
        try {
            // Bytes that aren't UTF-8 become characters that no field takes, so a warning names their field.
            String text = new String(bytes(), StandardCharsets.UTF_8);
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

    /** Returns the content. Works on an interrupted thread, too, unlike a channel. */
    private byte[] bytes() throws IOException {
        if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
            throw new TunedText.Unusable(
                    "content", "a file to read", Files.isDirectory(path) ? "a folder" : "a device");
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new TunedText.Unusable("size", "at most " + MAX_BYTES + " bytes", Files.size(path));
            }
            return bytes;
        }
    }

    /** Warns, once, that the file or a part of it is ignored, and says why. */
    void ignore(String why) {
        warn(path + " is ignored: " + why + "; 'cellfuse tune' replaces it");
    }

    private static void warn(String what) {
        if (WARNED.add(what)) {
            LOG.warn("{}", what);
        }
    }

    /**
     * Replaces the entries for {@code measured} by {@code winners}, and the speeds by {@code speed}. Other entries
     * stay.
     *
     * @throws IOException if the folder can't be written
     */
    void update(DeviceSpeed speed, Collection<TunedEntry.Key> measured, Collection<TunedEntry> winners)
            throws IOException {
        FileTrust.createFolder(path.getParent()); // by default it is below the program cache's
        // A file lock works between processes; between the threads of one process it throws.
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

    /**
     * Returns the lock, or null on file systems without locks, as some network file systems are. Without a lock, the
     * file is still whole, but of two updates at the same time one may be lost.
     */
    private static FileLock lock(FileChannel channel) {
        try {
            return channel.lock();
        } catch (IOException e) {
            LOG.debug("no lock: {}", e.toString());
            return null;
        }
    }

    /** Writes a temporary file, then renames it: another process sees the old file or the new one. */
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
     * @return whether there was a file
     * @throws IOException if it can't be deleted
     */
    boolean delete() throws IOException {
        return Files.deleteIfExists(path);
    }
}
