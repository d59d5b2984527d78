package io.github.cellfuse.format.keras;

import io.github.cellfuse.format.file.FileRegion;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/** A region of a file as a channel, for regions that are too large for one buffer. Not thread safe. */
final class RegionChannel implements SeekableByteChannel {
    private final FileRegion region;
    private long position;
    private boolean isOpen = true;

    RegionChannel(FileRegion region) {
        this.region = region;
    }

    @Override
    public int read(ByteBuffer target) throws ClosedChannelException {
        if (!isOpen) {
            throw new ClosedChannelException();
        }
        if (position >= region.size()) {
            return -1;
        }
        int count = (int) Math.min(target.remaining(), region.size() - position);
        target.put(region.bytes(position, count));
        position += count;
        return count;
    }

    @Override
    public int write(ByteBuffer source) {
        throw new NonWritableChannelException();
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public SeekableByteChannel position(long newPosition) {
        if (newPosition < 0) {
            throw new IllegalArgumentException("position " + newPosition);
        }
        position = newPosition;
        return this;
    }

    @Override
    public long size() {
        return region.size();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
        throw new NonWritableChannelException();
    }

    @Override
    public boolean isOpen() {
        return isOpen;
    }

    @Override
    public void close() {
        isOpen = false;
    }
}
