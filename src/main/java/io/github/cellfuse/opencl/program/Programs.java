package io.github.cellfuse.opencl.program;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClException;
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

    /**
     * A program and how it was built.
     *
     * @param fromDisk whether it was taken from the cache
     */
    private record Built(
            ClProgram program,
            Signatures signatures,
            String title,
            List<String> texts,
            String options,
            boolean fromDisk) {
        Kernel kernel(String name) {
            return Kernel.open(program, signatures, name);
        }
    }

    private final ClContext context;
    private final WeightPrecision weights;
    private final Optional<DeviceAtomics> atomics;
    private final ProgramCache cache;
    private final Map<Key, Built> compiled = new HashMap<>();
    /** How often programs from disk turned out to be unusable; guarded by this. */
    private int rebuilds;

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
        Key key = new Key(source, source.reads(tile), source.reads(cell));
        Built program = compiled.computeIfAbsent(key, this::compile);
        try {
            return program.kernel(name);
        } catch (CellFuseException e) {
            // Another number of parameters is no status of OpenCL.
            boolean isUnusable = !(e instanceof ClException status) || status.isUnusableProgram();
            if (!isUnusable || !program.fromDisk()) {
                throw e;
            }
            // What a driver made of a binary may have no kernels. Its source has.
            discard(key, program, e);
            return compiled.computeIfAbsent(key, this::compile).kernel(name);
        }
    }

    /** Returns how often programs from disk have turned out to be unusable. */
    public synchronized int rebuilds() {
        return rebuilds;
    }

    /**
     * Takes a failed launch for that of a program from disk, if it may be one: then all programs from disk are
     * discarded, and built from source when they are needed again. Their kernels that are open stay so.
     *
     * @param seen what {@link #rebuilds()} was when the kernels of the launch were opened
     * @return whether new kernels may do better
     */
    public synchronized boolean rebuild(ClException why, int seen) {
        if (!why.isUnusableProgram()) {
            return false;
        }
        List<Key> fromDisk = compiled.entrySet().stream()
                .filter(each -> each.getValue().fromDisk())
                .map(Map.Entry::getKey)
                .toList();
        fromDisk.forEach(key -> discard(key, compiled.get(key), why));
        return rebuilds != seen;
    }

    private void discard(Key key, Built program, CellFuseException why) {
        cache.discard(context, program.title(), program.texts(), program.options(), why);
        compiled.remove(key); // the context closes it
        rebuilds++;
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
        return new Built(program, signatures, title, texts, options, cached);
    }
}
