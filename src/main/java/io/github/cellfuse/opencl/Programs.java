package io.github.cellfuse.opencl;

import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ProgramCache;
import java.util.HashMap;
import java.util.Map;

/** The compiled programs of an engine, made when first needed and shared by its sessions. Thread safe. */
final class Programs {
    private record Key(KernelSource source, Tile tile) {}

    private final ClContext context;
    private final ProgramCache cache;
    private final Map<Key, ClProgram> compiled = new HashMap<>();

    Programs(ClContext context) {
        this.context = context;
        cache = ProgramCache.fromEnvironment();
    }

    /** A new kernel, for one session. */
    synchronized ClKernel kernel(KernelSource source, Tile tile, String name) {
        ClProgram program = compiled.computeIfAbsent(
                new Key(source, tile), key -> cache.program(context, source.title(), source.texts(), tile.options()));
        return program.kernel(name);
    }
}
