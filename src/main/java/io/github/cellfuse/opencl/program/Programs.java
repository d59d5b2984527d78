package io.github.cellfuse.opencl.program;

import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ProgramCache;
import io.github.cellfuse.spi.CompileReport;
import io.github.cellfuse.spi.CompilerWait;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The compiled programs of an engine, compiled when first needed and shared by its sessions. Thread-safe. */
public final class Programs {
    private record Key(KernelSource source, Tile tile, CellOptions cell) {}

    private record Built(ClProgram program, Signatures signatures) {}

    private final ClContext context;
    private final WeightPrecision weights;
    private final Optional<DeviceAtomics> atomics;
    private final ProgramCache cache;
    private final Map<Key, Built> compiled = new HashMap<>();

    /** Programs for weights in float32. */
    public Programs(ClContext context) {
        this(context, WeightPrecision.F32);
    }

    /** Programs for weights in this precision. */
    public Programs(ClContext context, WeightPrecision weights) {
        this(context, weights, DeviceAtomics.of(context.device().capabilities()));
    }

    /** Programs whose work-groups wait for each other by {@code atomics}: for tests on devices that don't need them. */
    public Programs(ClContext context, WeightPrecision weights, Optional<DeviceAtomics> atomics) {
        this.context = context;
        this.weights = weights;
        this.atomics = atomics;
        cache = ProgramCache.forDevice(context.device());
    }

    /** Returns the precision in which the kernels read weights. */
    public WeightPrecision weights() {
        return weights;
    }

    /** Returns the macros of {@code weights.cl}. */
    private static String options(WeightPrecision weights) {
        return switch (weights) {
            case F32 -> "";
            case F16 -> " -D WEIGHTS_F16";
            case BF16 -> " -D WEIGHTS_BF16";
        };
    }

    /** Returns a new kernel of the ordinary cell, for one session. */
    public Kernel kernel(KernelSource source, Tile tile, String name) {
        return kernel(source, tile, CellOptions.ORDINARY, name);
    }

    /** Returns a new kernel, for one session. */
    public synchronized Kernel kernel(KernelSource source, Tile tile, CellOptions cell, String name) {
        Built program =
                compiled.computeIfAbsent(new Key(source, source.reads(tile), source.reads(cell)), this::compile);
        return Kernel.open(program.program(), program.signatures(), name);
    }

    private Built compile(Key key) {
        List<String> texts = key.source().texts();
        String language =
                key.source().waitsOnGpus() ? atomics.map(DeviceAtomics::options).orElse("") : "";
        String options = language
                + key.tile().options()
                + options(key.source().reads(weights))
                + key.cell().options();
        CompileReport report = CompileReport.begin();
        long hits = cache.statistics().hits(); // the cache is this object's alone
        String title = key.source().title();
        CompilerWait.begins(context.device());
        ClProgram program = cache.program(context, title, texts, options);
        Signatures signatures = new Signatures(texts, options);
        boolean cached = cache.statistics().hits() > hits;
        report.done(title, signatures::kernels, context.device().toString(), options.strip(), cached);
        return new Built(program, signatures);
    }
}
