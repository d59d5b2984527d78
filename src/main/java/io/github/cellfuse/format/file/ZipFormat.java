package io.github.cellfuse.format.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The records of a zip archive as they are written, after PKWARE's APPNOTE: a local header before each entry's bytes,
 * then the central directory, then the end record.
 *
 * @param zip64From the first value that its 32-bit field can't hold, so that it moves to a 64-bit one
 * @param zip64Entries the same for the number of entries
 */
public record ZipFormat(long zip64From, int zip64Entries) {
    public static final ZipFormat STANDARD = new ZipFormat(0xFFFFFFFFL, 0xFFFF);

    static final int LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50;
    static final int END64 = 0x06064b50, END64_LOCATOR = 0x07064b50;

    /** Sizes of the records without their variable parts. */
    static final int LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20;

    /** Methods. */
    static final int STORED = 0, DEFLATED = 8;

    /** Flags: the content is encrypted; names are UTF-8. */
    static final int ENCRYPTED = 1, UTF8 = 1 << 11;

    /** Extra fields: 64-bit sizes; and the one that Android's zipalign pads with. */
    static final int EXTRA_ZIP64 = 1, EXTRA_PADDING = 0xD935;

    /** This value means that the zip64 extra field has the actual value. */
    static final long IN_ZIP64 = 0xFFFFFFFFL;

    private static final int VERSION = 20, VERSION_ZIP64 = 45;
    private static final int DATE_1980_01_01 = 0x21;

    /**
     * An entry of an archive.
     *
     * @param name with its suffix
     * @param method how it is compressed
     * @param isEncrypted whether the content is
     * @param crc CRC-32 of the content
     * @param compressedSize bytes in the archive
     * @param size bytes of the content
     * @param headerOffset where its local header begins
     */
    public record Entry(
            String name, int method, boolean isEncrypted, long crc, long compressedSize, long size, long headerOffset) {
        public static Entry stored(String name, long size, long headerOffset) {
            return new Entry(name, STORED, false, 0, size, size, headerOffset);
        }

        public Entry withCrc(long crc) {
            return new Entry(name, method, isEncrypted, crc, compressedSize, size, headerOffset);
        }

        byte[] nameBytes() {
            return name.getBytes(StandardCharsets.UTF_8);
        }
    }

    /**
     * Returns the header before a stored entry's bytes, padded so that these begin at a multiple of {@code alignment}.
     */
    public byte[] localHeader(Entry entry, long crc, int alignment) {
        byte[] name = entry.nameBytes();
        boolean isLarge = entry.size() >= zip64From;
        int extra = isLarge ? 4 + 16 : 0;
        long unpadded = entry.headerOffset() + LOCAL_BYTES + name.length + extra;
        int padding = (int) (-unpadded & alignment - 1);
        if (padding > 0 && padding < 4) {
            // An extra field has a head of 4 bytes.
            padding += alignment;
        }
        ByteBuffer header = allocate(LOCAL_BYTES + name.length + extra + padding);
        header.putInt(LOCAL);
        common(header, entry.withCrc(crc), isLarge, isLarge);
        header.putShort((short) name.length).putShort((short) (extra + padding)).put(name);
        if (isLarge) {
            header.putShort((short) EXTRA_ZIP64).putShort((short) 16);
            header.putLong(entry.size()).putLong(entry.compressedSize());
        }
        if (padding > 0) {
            header.putShort((short) EXTRA_PADDING).putShort((short) (padding - 4));
        }
        return header.array();
    }

    /** Returns the central directory and the end records, to be written at {@code offset}. */
    public byte[] directory(List<Entry> entries, long offset) {
        int size = entries.stream()
                .mapToInt(entry -> CENTRAL_BYTES + entry.nameBytes().length + centralExtra(entry))
                .sum();
        ByteBuffer out = allocate(size + END64_BYTES + LOCATOR_BYTES + END_BYTES);
        entries.forEach(entry -> central(out, entry));
        boolean isLarge = entries.size() >= zip64Entries || offset >= zip64From || size >= zip64From;
        if (isLarge) {
            out.putInt(END64).putLong(END64_BYTES - 12);
            out.putShort((short) VERSION_ZIP64).putShort((short) VERSION_ZIP64);
            out.putInt(0).putInt(0);
            out.putLong(entries.size()).putLong(entries.size()).putLong(size).putLong(offset);
            out.putInt(END64_LOCATOR).putInt(0).putLong(offset + size).putInt(1);
        }
        short count = (short) (isLarge ? 0xFFFF : entries.size());
        out.putInt(END).putShort((short) 0).putShort((short) 0).putShort(count).putShort(count);
        out.putInt((int) (isLarge ? IN_ZIP64 : size)).putInt((int) (isLarge ? IN_ZIP64 : offset));
        out.putShort((short) 0);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    private int centralExtra(Entry entry) {
        int fields = (entry.size() >= zip64From ? 2 : 0) + (entry.headerOffset() >= zip64From ? 1 : 0);
        return fields == 0 ? 0 : 4 + fields * Long.BYTES;
    }

    private void central(ByteBuffer out, Entry entry) {
        byte[] name = entry.nameBytes();
        int extra = centralExtra(entry);
        boolean sizesInExtra = entry.size() >= zip64From;
        boolean offsetInExtra = entry.headerOffset() >= zip64From;
        out.putInt(CENTRAL).putShort((short) (extra > 0 ? VERSION_ZIP64 : VERSION));
        common(out, entry, extra > 0, sizesInExtra);
        out.putShort((short) name.length).putShort((short) extra);
        // Comment length, disk number, internal and external attributes.
        out.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(0);
        out.putInt((int) (offsetInExtra ? IN_ZIP64 : entry.headerOffset())).put(name);
        if (extra > 0) {
            out.putShort((short) EXTRA_ZIP64).putShort((short) (extra - 4));
            if (sizesInExtra) {
                out.putLong(entry.size()).putLong(entry.compressedSize());
            }
            if (offsetInExtra) {
                out.putLong(entry.headerOffset());
            }
        }
    }

    /** The part that local and central headers share: version to the uncompressed size. */
    private static void common(ByteBuffer out, Entry entry, boolean isLarge, boolean sizesInExtra) {
        out.putShort((short) (isLarge ? VERSION_ZIP64 : VERSION)).putShort((short) UTF8);
        out.putShort((short) entry.method()).putShort((short) 0).putShort((short) DATE_1980_01_01);
        out.putInt((int) entry.crc());
        out.putInt((int) (sizesInExtra ? IN_ZIP64 : entry.compressedSize()));
        out.putInt((int) (sizesInExtra ? IN_ZIP64 : entry.size()));
    }

    private static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
