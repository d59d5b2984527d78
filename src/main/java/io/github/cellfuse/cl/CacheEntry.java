package io.github.cellfuse.cl;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * One file of the program cache: a header of fixed size, then the binary. Integers are big-endian.
 *
 * <pre>
 *   8 bytes   magic, with the version of this format
 *  32 bytes   the key, so that a file under a wrong name is noticed
 *   8 bytes   the length of the binary
 *  32 bytes   SHA-256 of the binary
 * </pre>
 */
final class CacheEntry {
    private static final byte[] MAGIC = "CELLFCL1".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = MAGIC.length + DIGEST_BYTES + Long.BYTES + DIGEST_BYTES;

    /** Larger than any program: a larger file was not written by this cache. */
    private static final long MAX_BINARY_BYTES = 1L << 30;

    private CacheEntry() {}

    /** Returns the key for {@code parts} and the version of this format. */
    static byte[] key(List<String> parts) {
        MessageDigest digest = sha256();
        digest.update(MAGIC);
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            // Each part is preceded by its length, so that characters can't move from one part to the next.
            digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
            digest.update(bytes);
        }
        return digest.digest();
    }

    /**
     * Reads the binary from {@code file}.
     *
     * @throws java.nio.file.NoSuchFileException when there is none
     * @throws IOException when the file can't be read; a {@link Damaged} when it is not a whole entry of this key
     */
    static byte[] read(Path file, byte[] key) throws IOException {
        // A stream, because an interrupted thread can't read from a channel.
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            long size = Files.size(file);
            ByteBuffer header = ByteBuffer.wrap(bytes(in, HEADER_BYTES));
            byte[] magic = new byte[MAGIC.length];
            byte[] itsKey = new byte[DIGEST_BYTES];
            byte[] checksum = new byte[DIGEST_BYTES];
            header.get(magic).get(itsKey);
            long length = header.getLong();
            header.get(checksum);
            if (!MessageDigest.isEqual(magic, MAGIC)) {
                throw new Damaged("not a file of this cache");
            }
            if (!MessageDigest.isEqual(itsKey, key)) {
                throw new Damaged("the entry of another program");
            }
            // Checked first, so that nothing is allocated for a length that the file doesn't have.
            if (length < 1 || length > MAX_BINARY_BYTES || size - HEADER_BYTES != length) {
                throw new Damaged("the header says " + length + " bytes, the file holds " + (size - HEADER_BYTES));
            }
            byte[] binary = bytes(in, (int) length);
            if (!MessageDigest.isEqual(sha256().digest(binary), checksum)) {
                throw new Damaged("the checksum does not match");
            }
            return binary;
        }
    }

    /** Writes a temporary file in the same folder, then renames it: another process sees the whole entry or none. */
    static void write(Path file, byte[] key, byte[] binary) throws IOException {
        // Only its owner can read and write it: createTempFile promises that.
        Path unfinished = Files.createTempFile(file.getParent(), "unfinished-", ".tmp");
        try {
            try (OutputStream stream = Files.newOutputStream(unfinished);
                    DataOutputStream out = new DataOutputStream(stream)) {
                out.write(MAGIC);
                out.write(key);
                out.writeLong(binary.length);
                out.write(sha256().digest(binary));
                out.write(binary);
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static byte[] bytes(InputStream in, int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw new Damaged("the file ends where " + (count - bytes.length) + " more bytes were expected");
        }
        return bytes;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    /** The file exists, but it is not a complete entry. */
    static final class Damaged extends IOException {
        private static final long serialVersionUID = 1L;

        Damaged(String message) {
            super(message);
        }
    }
}
