package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.MappedBuffer;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Blocks of host memory that a GPU reads and writes by itself: "pinned", which means that the system never moves it.
 * From other memory, a driver copies to such a block first, which takes about six times as long on an NVIDIA H200.
 *
 * <p>Sessions borrow blocks for the time of a run. So an engine has as many as its runs at the same time need, however
 * many sessions are open. Thread safe.
 */
final class PinnedMemory {
    /**
     * The host fills a block in 0.5 ms at 16 GB/s. Giving it to an NVIDIA H200 took 0.04 to 0.1 ms more with blocks of
     * half the size, where that was a sixth to a third of the time. Now it is half as often.
     */
    private static final int BLOCK_BYTES = 8 << 20;

    /**
     * The bytes of x and y together from which a batch gains. Two threads, events and more launches cost about 0.1 ms.
     * From ordinary memory, a driver copies 7 GB/s to an NVIDIA H200 and 15 GB/s back, instead of 50: a megabyte each
     * way takes 0.2 ms instead of 0.04. So about 0.6 MB each way pay for the cost; below twice that, nothing is
     * certain.
     */
    private static final long FEWEST_BYTES = 2 << 20;

    /** A block, which stays mapped. */
    record Block(ClBuffer buffer, MappedBuffer mapped) {
        /** Returns all of its bytes, in native byte order. */
        ByteBuffer bytes() {
            return mapped.bytes();
        }
    }

    private final ClContext context;
    private final int blockBytes;
    private final long fewestBytes;
    private final List<Block> all = new ArrayList<>();
    private final Deque<Block> free = new ArrayDeque<>();
    /** Maps and unmaps the blocks; null before the first. */
    private ClQueue queue;

    private PinnedMemory(ClContext context, int blockBytes, long fewestBytes) {
        this.context = context;
        this.blockBytes = blockBytes;
        this.fewestBytes = fewestBytes;
    }

    /** Returns the memory for batches that take longer than starting to overlap them; nothing is allocated yet. */
    static PinnedMemory of(ClContext context) {
        boolean isHosts = context.device().capabilities().hostUnifiedMemory();
        return new PinnedMemory(context, BLOCK_BYTES, isHosts ? Long.MAX_VALUE : FEWEST_BYTES);
    }

    /** Returns the memory for batches of any size: for tests, on any device. */
    static PinnedMemory ofBlocks(ClContext context, int blockBytes) {
        return new PinnedMemory(context, blockBytes, 0);
    }

    /** Returns whether a batch with so many bytes of input and output should go through this memory. */
    boolean suits(long bytes) {
        return bytes > fewestBytes;
    }

    /** Returns the size of a block. */
    int blockBytes() {
        return blockBytes;
    }

    /** Returns a block that {@link #giveBack} takes back. */
    synchronized Block borrow() {
        if (!free.isEmpty()) {
            return free.pop();
        }
        if (queue == null) {
            queue = context.queue();
        }
        ClBuffer buffer = context.hostBuffer("pinned memory", blockBytes, ClBuffer.Access.READ_WRITE);
        try {
            Block block = new Block(buffer, queue.map(buffer, MappedBuffer.Mode.READ_WRITE));
            all.add(block);
            return block;
        } catch (RuntimeException | Error e) {
            buffer.close();
            throw e;
        }
    }

    /** Makes {@code block} free for the next run. No transfer may use it any more. */
    synchronized void giveBack(Block block) {
        free.push(block);
    }

    /** Frees all blocks. */
    synchronized void close() {
        for (Block block : all) {
            block.mapped().close();
            block.buffer().close();
        }
        all.clear();
        free.clear();
        if (queue != null) {
            queue.close();
            queue = null;
        }
    }
}
