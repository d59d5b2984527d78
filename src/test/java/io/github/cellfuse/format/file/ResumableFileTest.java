package io.github.cellfuse.format.file;

import static io.github.cellfuse.format.npy.FormatFixtures.assertRefused;
import static io.github.cellfuse.format.npy.FormatFixtures.names;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.CellFuseException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The unfinished file of a resumable output: its name, its length and its end. */
class ResumableFileTest {
    @TempDir
    Path folder;

    private Path target;
    private Path partial;

    @BeforeEach
    void name() {
        target = folder.resolve("y.npy");
        partial = folder.resolve("y.npy.partial");
    }

    private static void write(AtomicFile file, long position, String text) throws IOException {
        ArrayRegion.write(file.channel(), position, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void staysUntilItIsCommitted() throws IOException {
        try (AtomicFile file = AtomicFile.resumable(target, false, false)) {
            write(file, 0, "ab");
            file.force();
        }
        assertEquals("ab", Files.readString(partial));
        try (AtomicFile file = AtomicFile.resumable(target, false, true)) {
            file.reserve(4, 2);
            assertEquals("ab\0\0", Files.readString(partial));
            write(file, 2, "cd");
            file.commit();
            file.delete();
        }
        assertEquals("abcd", Files.readString(target));
        assertEquals(List.of("y.npy"), names(folder));
    }

    @Test
    void beginsFromNothingUnlessItIsContinued() throws IOException {
        Files.writeString(partial, "of another run");
        try (AtomicFile file = AtomicFile.resumable(target, false, false)) {
            assertEquals(0, file.channel().size());
            file.reserve(0, 0);
            file.delete();
        }
        assertEquals(List.of(), names(folder));
        // There need not be one.
        AtomicFile.resumable(target, false, true).close();
        assertEquals(List.of("y.npy.partial"), names(folder));
    }

    @Test
    void hasTheLengthThatIsReserved() throws IOException {
        Files.writeString(partial, "too long");
        try (AtomicFile file = AtomicFile.resumable(target, false, true)) {
            file.reserve(3, 3);
            assertEquals("too", Files.readString(partial));
            file.reserve(3, 3);
            assertEquals("too", Files.readString(partial));
        }
    }

    @Test
    void aTargetThatAppearsMeanwhileCostsNothing() throws IOException {
        AtomicFile file = AtomicFile.resumable(target, false, false);
        write(file, 0, "ours");
        Files.writeString(target, "another's");
        assertRefused(file::commit, "exists already");
        assertThrows(CellFuseException.class, file::commit);
        assertThrows(CellFuseException.class, file::force);
        assertEquals("another's", Files.readString(target));
        assertEquals("ours", Files.readString(partial));
        assertRefused(() -> AtomicFile.resumable(target, false, true), "exists already");
        try (AtomicFile again = AtomicFile.resumable(target, true, true)) {
            again.commit();
        }
        assertEquals("ours", Files.readString(target));
    }

    @Test
    void followsNoLinkWithTheGuessedName() throws IOException {
        Path other = Files.writeString(folder.resolve("other"), "precious");
        Files.createSymbolicLink(partial, other);
        for (boolean isContinued : new boolean[] {false, true}) {
            assertRefused(() -> AtomicFile.resumable(target, false, isContinued), "y.npy.partial", "a link");
        }
        assertEquals("precious", Files.readString(other));
        Files.delete(partial);
        Files.createDirectory(partial);
        assertRefused(() -> AtomicFile.resumable(target, false, false), "y.npy.partial", "a folder");
    }

    @Test
    void liesBesideTheFileThatALinkNames() throws IOException {
        Path real = Files.writeString(
                Files.createDirectory(folder.resolve("elsewhere")).resolve("real.npy"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link.npy"), real);
        try (AtomicFile file = AtomicFile.resumable(link, true, false)) {
            assertEquals(List.of("real.npy", "real.npy.partial"), names(real.getParent()));
            write(file, 0, "new");
            file.commit();
        }
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(real));
    }

    @Test
    void needsANameThatIsShortEnough() throws IOException {
        Path longest = folder.resolve("y".repeat(250) + ".npy");
        assertRefused(() -> AtomicFile.resumable(longest, false, false), "can't be created");
        assertEquals(List.of(), names(folder));
    }
}
