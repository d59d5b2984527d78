package io.github.cellfuse.cli.run;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.BatchOutput;
import io.github.cellfuse.batch.ChunkLimit;
import io.github.cellfuse.batch.ChunkSink;
import io.github.cellfuse.batch.ChunkSource;
import io.github.cellfuse.batch.LengthOrder;
import io.github.cellfuse.cli.job.JobBatch;
import io.github.cellfuse.cli.job.JobIdentity;
import io.github.cellfuse.format.npy.NpyStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A bare LSTM over files, on one or several devices. */
final class LstmBatch implements JobBatch<RunOutput> {
    private final RunRows rows;
    private final List<RunArray> arrays;
    private final Supplier<LstmEngine> fallback;
    private final Function<LstmEngine, JobIdentity> identity;
    private final List<LstmEngine> engines;
    /** Whether what is read or written goes through a pipe. */
    private final boolean isPiped;
    /** The rows that have been written, or null. */
    private ReleasingSink releasing;
    /** Empty for the order of the file, also before there is one. */
    private Optional<LengthOrder> order = Optional.empty();

    /**
     * Prepares a batch; nothing is computed yet.
     *
     * @param fallback opens {@code java} when the others have failed
     * @param identity returns what has to be the same when a run is continued
     * @param engines the devices; closed at the end
     * @param isPiped whether what is read or written goes through a pipe
     */
    LstmBatch(
            RunRows rows,
            List<RunArray> arrays,
            Supplier<LstmEngine> fallback,
            Function<LstmEngine, JobIdentity> identity,
            List<LstmEngine> engines,
            boolean isPiped) {
        this.rows = rows;
        this.arrays = arrays;
        this.fallback = fallback;
        this.identity = identity;
        this.engines = new ArrayList<>(engines);
        this.isPiped = isPiped;
    }

    /**
     * Returns what has to be the same when a run is continued, except for its files.
     *
     * @param order in which a journal counts the rows; empty for their own
     */
    static JobIdentity identity(LstmEngine engine, RunShape shape, Optional<LengthOrder> order, List<String> outputs) {
        JobIdentity identity = new JobIdentity()
                .with("model", engine.model())
                .with("layout", shape.layout().name().toLowerCase(Locale.ROOT))
                .with("rows", Long.toString(shape.rows()))
                .with("steps", Integer.toString(shape.steps()))
                .with("outputs", String.join(", ", outputs))
                .with(engine.tier());
        order.ifPresent(by -> identity.with("order", by.toString()));
        return identity;
    }

    @Override
    public long rows() {
        return rows.source().rows();
    }

    @Override
    public int chunkRows() {
        return rows.chunking().chunkRows();
    }

    @Override
    public boolean isResumable() {
        return !isPiped;
    }

    /** Of each device, one chunk is read, one computed and one written. */
    @Override
    public Optional<Long> window() {
        return isPiped ? Optional.of((2L * engines.size() + 1) * chunkRows()) : Optional.empty();
    }

    @Override
    public void endReading() {
        rows.source().stream().ifPresent(NpyStream::close);
    }

    @Override
    public JobIdentity identity() {
        return identity.apply(engines.get(0));
    }

    /** All rows are computed at once, and the session sorts them. */
    @Override
    public RunOutput create(Path target, boolean overwrite) {
        return RunOutput.create(target, overwrite, arrays);
    }

    @Override
    public RunOutput resumable(Path target, boolean overwrite, boolean isContinued) {
        order = rows.order();
        return RunOutput.resumable(target, overwrite, isContinued, arrays);
    }

    @Override
    public BatchOutput output(RunOutput file) {
        return sink(file);
    }

    @Override
    public Optional<ChunkLimit> limit() {
        return order.map(by -> rows.limit());
    }

    @Override
    public List<BatchEngine<?, ?>> engines(RunOutput file) {
        return engines.stream()
                .<BatchEngine<?, ?>>map(engine -> BatchEngine.of(engine, source(), sink(file)))
                .toList();
    }

    private ChunkSource source() {
        return order.map(LengthOrder::source).orElse(rows.source());
    }

    private synchronized ChunkSink sink(RunOutput file) {
        if (rows.source().stream().isPresent()) {
            releasing = releasing == null ? new ReleasingSink(file, rows.source()) : releasing;
            return releasing;
        }
        return order.map(by -> by.sink(file)).orElse(file);
    }

    @Override
    public BatchEngine<?, ?> openFallback(RunOutput file) {
        LstmEngine java = fallback.get();
        engines.add(java);
        return BatchEngine.of(java, source(), sink(file));
    }

    @Override
    public void close(Predicate<Device> isHung) {
        engines.stream().filter(engine -> !isHung.test(engine.device())).forEach(LstmEngine::close);
    }
}
