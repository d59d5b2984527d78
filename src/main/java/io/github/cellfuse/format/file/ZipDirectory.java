package io.github.cellfuse.format.file;

import io.github.cellfuse.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads a zip archive's central directory. {@link java.util.zip.ZipFile} does that too, but doesn't reveal the offset
 * of an entry's bytes, which is needed to map a stored array.
 */
final class ZipDirectory {
    private static final int LONGEST_COMMENT = 0xFFFF;

    private final MappedFile file;
    private final String kind;

    private ZipDirectory(MappedFile file, String kind) {
        this.file = file;
        this.kind = kind;
    }

    /**
     * The entries in the order of the directory; every one lies within the file, ahead of the directory.
     *
     * @param kind what the archive should be, for the message: {@code .npz}
     */
    static List<ZipFormat.Entry> read(MappedFile file, String kind) {
        return new ZipDirectory(file, kind).entries();
    }

    /** The directory as the end record gives it. */
    private record End(long count, long size, long offset, long recordOffset) {}

    private List<ZipFormat.Entry> entries() {
        End end = end();
        if (end.size() < 0 || end.offset() < 0 || end.recordOffset() - end.size() != end.offset()) {
            throw damaged("central directory: expected " + end.size() + " bytes from byte " + end.offset()
                    + " on, up to the end record, found that record at byte " + end.recordOffset());
        }
        // An entry takes at least 46 bytes, so a false count can't exhaust the memory.
        if (end.count() < 0 || end.count() > end.size() / ZipFormat.CENTRAL_BYTES) {
            throw damaged("central directory: " + end.count() + " entries don't fit its " + end.size() + " bytes");
        }
        List<ZipFormat.Entry> entries = new ArrayList<>();
        long at = end.offset();
        for (long k = 0; k < end.count(); k++) {
            at = entry(at, end, entries);
        }
        if (at != end.recordOffset()) {
            throw damaged("central directory: expected " + end.count() + " entries to end at byte " + end.recordOffset()
                    + ", found them to end at byte " + at);
        }
        return entries;
    }

    private End end() {
        long size = file.size();
        // The record of an empty archive begins with the same two letters.
        if (size < 2 || file.copy(0, 2).getShort() != (short) ZipFormat.LOCAL) {
            throw Problems.invalid(file.label(), "not a " + kind + " file: it doesn't begin as a zip archive does");
        }
        int tailBytes = (int) Math.min(size, ZipFormat.END_BYTES + LONGEST_COMMENT);
        ByteBuffer tail = file.copy(size - tailBytes, tailBytes);
        for (int at = tailBytes - ZipFormat.END_BYTES; at >= 0; at--) {
            boolean isEnd =
                    tail.getInt(at) == ZipFormat.END && tail.getChar(at + 20) == tailBytes - at - ZipFormat.END_BYTES;
            if (isEnd) {
                return end(tail, at, size - tailBytes + at);
            }
        }
        throw damaged("truncated: expected a zip archive's end record, found none");
    }

    private End end(ByteBuffer tail, int at, long recordOffset) {
        long locator = recordOffset - ZipFormat.LOCATOR_BYTES;
        if (locator >= 0 && file.copy(locator, 4).getInt() == ZipFormat.END64_LOCATOR) {
            return end64(file.copy(locator, ZipFormat.LOCATOR_BYTES), locator);
        }
        if (tail.getShort(at + 4) != 0 || tail.getShort(at + 6) != 0 || tail.getChar(at + 8) != tail.getChar(at + 10)) {
            throw damaged("expected one archive, found a part of a split one");
        }
        return new End(
                tail.getChar(at + 10),
                Integer.toUnsignedLong(tail.getInt(at + 12)),
                Integer.toUnsignedLong(tail.getInt(at + 16)),
                recordOffset);
    }

    private End end64(ByteBuffer locator, long locatorOffset) {
        long offset = locator.getLong(8);
        if (offset < 0 || offset > locatorOffset - ZipFormat.END64_BYTES) {
            throw damaged("zip64 end record: expected it before byte " + locatorOffset + ", found " + offset);
        }
        ByteBuffer end = file.copy(offset, ZipFormat.END64_BYTES);
        if (end.getInt(0) != ZipFormat.END64) {
            throw damaged("zip64 end record: expected it at byte " + offset + ", found something else");
        }
        if (end.getInt(16) != 0 || end.getInt(20) != 0 || end.getLong(24) != end.getLong(32)) {
            throw damaged("expected one archive, found a part of a split one");
        }
        return new End(end.getLong(32), end.getLong(40), end.getLong(48), offset);
    }

    /** Adds the entry at {@code at}, and returns where the next one begins. */
    private long entry(long at, End end, List<ZipFormat.Entry> entries) {
        ByteBuffer head = within(at, ZipFormat.CENTRAL_BYTES, end);
        if (head.getInt(0) != ZipFormat.CENTRAL) {
            throw damaged("central directory: expected entry " + entries.size() + " at byte " + at
                    + ", found something else");
        }
        int flags = head.getChar(8);
        int nameBytes = head.getChar(28);
        int extraBytes = head.getChar(30);
        int variable = nameBytes + extraBytes + head.getChar(32);
        ByteBuffer tail = within(at + ZipFormat.CENTRAL_BYTES, variable, end);
        String name = name(Arrays.copyOf(tail.array(), nameBytes), flags);
        long size = Integer.toUnsignedLong(head.getInt(24));
        long compressedSize = Integer.toUnsignedLong(head.getInt(20));
        long offset = Integer.toUnsignedLong(head.getInt(42));
        ByteBuffer wide = zip64(tail.position(nameBytes).limit(nameBytes + extraBytes), name);
        size = size == ZipFormat.IN_ZIP64 ? next(wide, name) : size;
        compressedSize = compressedSize == ZipFormat.IN_ZIP64 ? next(wide, name) : compressedSize;
        offset = offset == ZipFormat.IN_ZIP64 ? next(wide, name) : offset;
        long crc = Integer.toUnsignedLong(head.getInt(16));
        boolean isEncrypted = (flags & ZipFormat.ENCRYPTED) != 0;
        ZipFormat.Entry entry =
                new ZipFormat.Entry(name, head.getChar(10), isEncrypted, crc, compressedSize, size, offset);
        checkPlace(entry, end.offset());
        entries.add(entry);
        return at + ZipFormat.CENTRAL_BYTES + variable;
    }

    private void checkPlace(ZipFormat.Entry entry, long directory) {
        if (entry.size() < 0
                || entry.compressedSize() < 0
                || entry.headerOffset() < 0
                || entry.headerOffset() > directory - ZipFormat.LOCAL_BYTES
                || entry.compressedSize() > directory - ZipFormat.LOCAL_BYTES - entry.headerOffset()) {
            throw damaged("entry " + Problems.quote(entry.name()) + ": expected it within the " + directory
                    + " bytes before the central directory, found " + entry.compressedSize() + " bytes from byte "
                    + entry.headerOffset() + " on");
        }
    }

    private ByteBuffer within(long at, int bytes, End end) {
        if (at > end.recordOffset() - bytes) {
            throw damaged("central directory: expected " + end.count() + " entries, found them to run past its end");
        }
        return file.copy(at, bytes);
    }

    /** Returns the content of the extra field with 64-bit sizes; empty where there is none. */
    private ByteBuffer zip64(ByteBuffer extra, String name) {
        while (extra.remaining() >= 4) {
            int id = extra.getChar();
            int length = extra.getChar();
            if (length > extra.remaining()) {
                throw damaged("entry " + Problems.quote(name) + ": an extra field runs past its end");
            }
            if (id == ZipFormat.EXTRA_ZIP64) {
                return extra.limit(extra.position() + length);
            }
            extra.position(extra.position() + length);
        }
        return ByteBuffer.allocate(0);
    }

    private long next(ByteBuffer wide, String name) {
        if (wide.remaining() < Long.BYTES) {
            throw damaged("entry " + Problems.quote(name) + ": expected a 64-bit size, found none");
        }
        return wide.getLong();
    }

    /** Returns a name, with replacement characters where it isn't in its encoding: it may be that of another entry. */
    private static String name(byte[] bytes, int flags) {
        Charset charset = (flags & ZipFormat.UTF8) != 0 ? StandardCharsets.UTF_8 : Charset.forName("IBM437");
        return new String(bytes, charset);
    }

    /**
     * Rejects an entry that can't be read. Asked only for what is read: an archive may hold anything else.
     *
     * @throws InvalidInputException when it is encrypted, or compressed in another way than deflated
     */
    static void checkReadable(MappedFile file, ZipFormat.Entry entry) {
        String what = "entry " + Problems.quote(entry.name()) + ": ";
        if (entry.isEncrypted()) {
            throw Problems.invalid(file.label(), what + "expected plain data, found it encrypted");
        }
        if (entry.method() != ZipFormat.STORED && entry.method() != ZipFormat.DEFLATED) {
            throw Problems.invalid(
                    file.label(),
                    what + "expected compression method 0 (stored) or 8 (deflated), found " + entry.method());
        }
        if (entry.method() == ZipFormat.STORED && entry.compressedSize() != entry.size()) {
            throw Problems.invalid(
                    file.label(),
                    what + "stored, so expected both sizes alike, found " + entry.compressedSize() + " and "
                            + entry.size());
        }
    }

    /**
     * Returns the offset of an entry's bytes: after its local header, whose variable parts may differ from the
     * directory's.
     *
     * @throws InvalidInputException when the local header isn't there or is another entry's
     */
    static long dataOffset(MappedFile file, ZipFormat.Entry entry, long end) {
        ByteBuffer head = file.copy(entry.headerOffset(), ZipFormat.LOCAL_BYTES);
        int nameBytes = head.getChar(26);
        long data = entry.headerOffset() + ZipFormat.LOCAL_BYTES + nameBytes + head.getChar(28);
        boolean isOurs = head.getInt(0) == ZipFormat.LOCAL
                && head.getChar(8) == entry.method()
                && data + entry.compressedSize() <= end;
        if (!isOurs) {
            throw Problems.invalid(
                    file.label(),
                    "entry " + Problems.quote(entry.name()) + ": expected its header and its "
                            + entry.compressedSize() + " bytes at byte " + entry.headerOffset()
                            + ", found something else");
        }
        return data;
    }

    private InvalidInputException damaged(String what) {
        return Problems.invalid(file.label(), what);
    }
}
