package io.github.cellfuse.format.file;

import java.nio.ByteBuffer;
import java.util.zip.Checksum;

/** A checksum for which nothing is computed. */
enum NoChecksum implements Checksum {
    INSTANCE;

    @Override
    public void update(int value) {
        // Nothing is wanted.
    }

    @Override
    public void update(byte[] bytes, int offset, int length) {
        // Nothing is wanted.
    }

    /** Otherwise the bytes would be copied into an array first. */
    @Override
    public void update(ByteBuffer bytes) {
        bytes.position(bytes.limit());
    }

    @Override
    public long getValue() {
        return 0;
    }

    @Override
    public void reset() {
        // There is nothing to forget.
    }
}
