package io.github.cellfuse.opencl.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Direct memory through which small transfers go, shared by all sessions of the process. A session borrows a block for
 * the time of one transfer, so there are as many blocks as transfers at the same time, however many sessions are open.
 * The JVM frees direct memory only when it collects garbage, so a block per session would outlive the session. Thread
 * safe.
 */
final class StagingMemory {
    static final int BYTES = 1 << 20;

    /** The last one given back first: its pages are the most likely to be in a cache. */
    private static final Deque<ByteBuffer> FREE = new ConcurrentLinkedDeque<>();

    private StagingMemory() {}

    /** Returns a block of {@link #BYTES} bytes in the native byte order, which {@link #giveBack} takes back. */
    static ByteBuffer borrow() {
        ByteBuffer block = FREE.pollFirst();
        return block != null ? block.clear() : ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
    }

    /** Makes {@code block} free for the next transfer. */
    static void giveBack(ByteBuffer block) {
        FREE.addFirst(block);
    }
}
