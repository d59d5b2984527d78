package io.github.cellfuse.opencl.program;

import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ProgramCache;
import java.util.HashMap;
import java.util.Map;

/** The compiled programs of an engine, made when first needed and shared by its sessions. Thread safe. */
public final class Programs {
    private record Key(KernelSource source, Tile tile, CellOptions cell) {}

    private final ClContext context;
    private final WeightPrecision weights;
    private final ProgramCache cache;
    private final Map<Key, ClProgram> compiled = new HashMap<>();

    public Programs(ClContext context) {
        this(context, WeightPrecision.F32);
    }

    /** For weights that are stored like this. */
    public Programs(ClContext context, WeightPrecision weights) {
        this.context = context;
        this.weights = weights;
        cache = ProgramCache.fromEnvironment();
    }

    /** How the kernels read weights. */
    public WeightPrecision weights() {
        return weights;
    }

    /** The macros that {@code weights.cl} documents. */
    private String weightOptions() {
        return switch (weights) {
            case F32 -> "";
            case F16 -> " -D WEIGHTS_F16";
            case BF16 -> " -D WEIGHTS_BF16";
        };
    }

    /** A new kernel of the ordinary cell, for one session. */
    public ClKernel kernel(KernelSource source, Tile tile, String name) {
        return kernel(source, tile, CellOptions.ORDINARY, name);
    }

    /** A new kernel, for one session. */
    public synchronized ClKernel kernel(KernelSource source, Tile tile, CellOptions cell, String name) {
        CellOptions read = source.reads(cell);
        String options = tile.options() + weightOptions() + read.options();
        ClProgram program = compiled.computeIfAbsent(
                new Key(source, tile, read), key -> cache.program(context, source.title(), source.texts(), options));
        return program.kernel(name);
    }
}
