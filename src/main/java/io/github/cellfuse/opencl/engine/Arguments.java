package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClKernel;

/** Binds a kernel's arguments one after the other, in the order of its signature. */
public final class Arguments {
    private final ClKernel kernel;
    private int next;

    Arguments(ClKernel kernel) {
        this.kernel = kernel;
    }

    Arguments buffers(ClBuffer... buffers) {
        for (ClBuffer buffer : buffers) {
            kernel.setBuffer(next++, buffer);
        }
        return this;
    }

    Arguments ints(int... values) {
        for (int value : values) {
            kernel.setInt(next++, value);
        }
        return this;
    }
}
