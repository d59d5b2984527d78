package io.github.cellfuse.cli.run;

import io.github.cellfuse.Device;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.Chunking;
import io.github.cellfuse.cli.job.JobBatch;
import io.github.cellfuse.cli.job.JobIdentity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A bare LSTM over files, on one or several devices. */
final class LstmBatch implements JobBatch<RunOutput> {
    private final RunInput source;
    private final List<RunArray> arrays;
    private final Chunking chunking;
    private final Supplier<LstmEngine> fallback;
    private final Function<LstmEngine, JobIdentity> identity;
    private final List<LstmEngine> engines;

    /**
     * Prepares a batch; nothing is computed yet.
     *
     * @param fallback opens {@code java} when the others have failed
     * @param identity returns what has to be the same when a run is continued
     * @param engines the devices; closed at the end
     */
    LstmBatch(
            RunInput source,
            List<RunArray> arrays,
            Chunking chunking,
            Supplier<LstmEngine> fallback,
            Function<LstmEngine, JobIdentity> identity,
            List<LstmEngine> engines) {
        this.source = source;
        this.arrays = arrays;
        this.chunking = chunking;
        this.fallback = fallback;
        this.identity = identity;
        this.engines = new ArrayList<>(engines);
    }

    @Override
    public long rows() {
        return source.rows();
    }

    @Override
    public int chunkRows() {
        return chunking.chunkRows();
    }

    @Override
    public JobIdentity identity() {
        return identity.apply(engines.get(0));
    }

    @Override
    public RunOutput create(Path target, boolean overwrite) {
        return RunOutput.create(target, overwrite, arrays);
    }

    @Override
    public RunOutput resumable(Path target, boolean overwrite, boolean isContinued) {
        return RunOutput.resumable(target, overwrite, isContinued, arrays);
    }

    @Override
    public List<BatchEngine<?, ?>> engines(RunOutput file) {
        return engines.stream()
                .<BatchEngine<?, ?>>map(engine -> BatchEngine.of(engine, source, file))
                .toList();
    }

    @Override
    public BatchEngine<?, ?> openFallback(RunOutput file) {
        LstmEngine java = fallback.get();
        engines.add(java);
        return BatchEngine.of(java, source, file);
    }

    @Override
    public void close(Predicate<Device> isHung) {
        engines.stream().filter(engine -> !isHung.test(engine.device())).forEach(LstmEngine::close);
    }
}
