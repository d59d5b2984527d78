package io.github.cellfuse.cl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Who may have written a folder or a file, by its owner and its mode. */
@DisabledOnOs(OS.WINDOWS) // it has no modes
class FileTrustTest {
    /** A user without files, so that everything belongs to somebody else. */
    static final FileTrust NOBODY = new FileTrust(Set.of(1_234_567));

    private static final FileTrust USER = FileTrust.ofUser();

    @TempDir
    Path temporary;

    private Path folder;
    private Path file;

    @BeforeEach
    void makeAFolderOfTheUser() throws IOException {
        folder = temporary.toRealPath().resolve("above/cache");
        FileTrust.createFolder(folder);
        file = Files.createFile(folder.resolve("file"));
        mode(file, "rw-------");
    }

    static void mode(Path path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    }

    @Test
    void newFoldersAreTheUsersAlone() throws IOException {
        for (Path made : new Path[] {folder, folder.getParent()}) {
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(made)));
        }
        Path link = Files.createSymbolicLink(temporary.resolve("link"), folder);
        FileTrust.createFolder(link);
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(Optional.empty(), USER.problemOfFolder(folder));
        assertEquals(Optional.empty(), USER.problemOfFile(file));
    }

    @Test
    void othersMayReadButNotWrite() throws IOException {
        for (String permissions : new String[] {"rwxr-xr-x", "rwx--x--x", "r-xr-xr-x"}) {
            mode(folder, permissions);
            assertEquals(Optional.empty(), USER.problemOfFolder(folder), permissions);
            mode(file, permissions);
            assertEquals(Optional.empty(), USER.problemOfFile(file), permissions);
        }
        for (String permissions : new String[] {"rwxrwxr-x", "rwx----w-", "rwxrwxrwx", "rwx-w----"}) {
            mode(file, permissions);
            assertProblem(
                    USER.problemOfFile(file), file + " can be written by other users ('chmod go-w " + file + "')");
            mode(folder, permissions);
            assertProblem(
                    USER.problemOfFolder(folder),
                    folder + " can be written by other users ('chmod go-w " + folder + "')");
            mode(folder, "rwx------");
        }
    }

    @Test
    void theFoldersAboveCount() throws IOException {
        Path above = folder.getParent();
        mode(above, "rwxrwxr-x"); // a group is trusted there: with a umask of 002 it owns everything
        assertEquals(Optional.empty(), USER.problemOfFolder(folder));
        mode(above, "rwxrwxrwx");
        assertProblem(
                USER.problemOfFolder(folder), above + " can be written by every user ('chmod o-w " + above + "')");
        Files.setAttribute(above, "unix:mode", 01777, LinkOption.NOFOLLOW_LINKS); // as /tmp has
        assertEquals(Optional.empty(), USER.problemOfFolder(folder));
    }

    @Test
    void whatBelongsToAnotherIsNotTrusted() throws IOException {
        String owner = Files.getOwner(folder).getName();
        assertProblem(NOBODY.problemOfFolder(folder), folder + " belongs to another user, " + owner);
        assertProblem(NOBODY.problemOfFile(file), file + " belongs to another user, " + owner);
    }

    @Test
    void rootIsTrusted() {
        Path root = Path.of("/");
        assertEquals(Optional.empty(), USER.problemOfFolder(root));
    }

    @Test
    void onlyPlainFilesAreRead() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        Path broken = Files.createSymbolicLink(folder.resolve("broken"), folder.resolve("nothing"));
        for (Path path : new Path[] {link, broken, folder}) {
            assertProblem(USER.problemOfFile(path), "expected a file, found a link, a folder or a device");
        }
    }

    @Test
    void whatIsMissingIsNoProblem() {
        assertEquals(Optional.empty(), USER.problemOfFile(folder.resolve("missing")));
        assertEquals(Optional.empty(), USER.problemOfFolder(folder.resolve("missing")));
    }

    private static void assertProblem(Optional<String> found, String expected) {
        assertEquals(Optional.of(expected), found);
    }
}
