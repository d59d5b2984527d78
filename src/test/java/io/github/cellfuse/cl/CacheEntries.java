package io.github.cellfuse.cl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Entries of the program cache, for tests in other packages. */
public final class CacheEntries {
    private static final byte[] KEY = CacheEntry.key(List.of("a program"));

    private CacheEntries() {}

    /** Returns a whole entry. */
    public static byte[] entry(Path folder) throws IOException {
        Path file = folder.resolve("entry");
        CacheEntry.write(file, KEY, new byte[] {1, 2, 3});
        return Files.readAllBytes(file);
    }

    /** Returns whether a file is a whole entry of that program. */
    public static boolean isWhole(Path file) throws IOException {
        try {
            CacheEntry.read(file, KEY);
            return true;
        } catch (CacheEntry.Damaged e) {
            return false;
        }
    }
}
