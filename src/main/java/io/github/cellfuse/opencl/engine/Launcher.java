package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.NdRange;

/** Where kernels go: the {@code launch} of a queue. */
interface Launcher {
    /** Enqueues {@code kernel} over {@code range}, which may change as soon as this returns. */
    void launch(ClKernel kernel, NdRange range);
}
