package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A contender's processes: one for each way of waiting that it has, of which the faster one plays.
 *
 * @param contender who
 * @param workers at least one
 */
record Team(Contender contender, List<WorkerProcess> workers) implements AutoCloseable {

    /**
     * Starts the processes. CellFuse has no setting for waiting, so it has one.
     *
     * @param settings how they run, except for their waiting
     * @param waiting the ways to wait
     * @param folder where their logs go
     * @throws CellFuseException when the library doesn't run here
     */
    static Team start(Contender contender, Settings settings, List<Waiting> waiting, Path folder) {
        List<WorkerProcess> workers = new ArrayList<>();
        try {
            for (Waiting way : contender == Contender.OURS ? waiting.subList(0, 1) : waiting) {
                workers.add(WorkerProcess.start(contender, settings.with(way), folder));
            }
            return new Team(contender, List.copyOf(workers));
        } catch (RuntimeException e) {
            workers.forEach(WorkerProcess::close);
            throw e;
        }
    }

    /** Returns the library's version. */
    String version() {
        return workers.get(0).version();
    }

    @Override
    public void close() {
        workers.forEach(WorkerProcess::close);
    }
}
