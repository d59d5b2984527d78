package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides whether code may be taken from a folder: only if nobody but this user and root can have put it there. Systems
 * without POSIX permissions, such as Windows, keep such folders below the user's own, and everything is trusted there.
 * Immutable and thread safe.
 */
public final class FileTrust {
    /** The bits of a mode that let the group or everybody write. */
    private static final int WRITABLE_BY_OTHERS = 0022, WRITABLE_BY_EVERYBODY = 0002;

    /** In a folder with this bit, as in /tmp, only its owner may rename or delete a file. */
    private static final int STICKY = 01000;

    private static final int ROOT = 0;

    private final Set<Integer> owners;

    /** Trusts the users with these numbers. */
    FileTrust(Set<Integer> owners) {
        this.owners = Set.copyOf(owners);
    }

    /** Trusts this user and root. */
    private static final class Holder {
        static final FileTrust USER = new FileTrust(user());
    }

    /** Returns the trust in this user and in root, who can do everything anyway. */
    static FileTrust ofUser() {
        return Holder.USER;
    }

    /** Java can't ask for its user's number, so this looks at the owner of a new file. */
    private static Set<Integer> user() {
        try {
            Path file = Files.createTempFile("cellfuse-", ".tmp");
            try {
                Set<Integer> users = new HashSet<>(Set.of(ROOT));
                if (isPosix(file)) {
                    users.add((Integer) Files.getAttribute(file, "unix:uid"));
                }
                return users;
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            return Set.of(ROOT);
        }
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }

    /**
     * Creates a folder and those above it, as far as they are missing, with access for this user alone.
     *
     * @throws IOException if that fails, or if it is something other than a folder
     */
    public static void createFolder(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return; // also through a link, which createDirectories of Java 17 refuses
        }
        Files.createDirectories(
                folder,
                isPosix(folder)
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                        }
                        : new FileAttribute<?>[0]);
    }

    /**
     * Returns why others can change what is in {@code folder}, as a sentence that names what to do; empty if they
     * can't. It is also empty for a folder that isn't there.
     *
     * @param folder a path without symbolic links
     */
    Optional<String> problemOfFolder(Path folder) {
        Optional<String> problem = problem(folder);
        // Who may rename a folder above can put another in its place. A group that shares a folder above is trusted.
        for (Path above = folder.getParent(); above != null && problem.isEmpty(); above = above.getParent()) {
            int mode = mode(above).orElse(0);
            if ((mode & WRITABLE_BY_EVERYBODY) != 0 && (mode & STICKY) == 0) {
                problem = Optional.of(above + " can be written by every user ('chmod o-w " + above + "')");
            }
        }
        return problem;
    }

    /** Returns why others can have changed the file, or why it isn't a plain file; empty if it isn't there. */
    Optional<String> problemOfFile(Path file) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.of("expected a file, found a link, a folder or a device");
        }
        return problem(file);
    }

    private Optional<String> problem(Path path) {
        Optional<Integer> mode = mode(path);
        if (mode.isEmpty()) {
            return Optional.empty();
        }
        try {
            int owner = (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            if (!owners.contains(owner)) {
                return Optional.of(path + " belongs to another user, "
                        + Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).getName());
            }
        } catch (IOException e) {
            return Optional.of(path + ": its owner can't be read: " + e);
        }
        return (mode.get() & WRITABLE_BY_OTHERS) == 0
                ? Optional.empty()
                : Optional.of(path + " can be written by other users ('chmod go-w " + path + "')");
    }

    /** Returns the mode; empty if there is no such file, or no mode on this system. */
    private static Optional<Integer> mode(Path path) {
        if (!isPosix(path)) {
            return Optional.empty();
        }
        try {
            Map<String, Object> read = Files.readAttributes(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            return Optional.of((Integer) read.get("mode"));
        } catch (IOException notThere) {
            return Optional.empty();
        }
    }
}
