package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.BatchReport;
import io.github.cellfuse.batch.ChunkSession;
import io.github.cellfuse.cli.job.JobBatch;
import io.github.cellfuse.cli.job.JobIdentity;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** A graph over files, on one or several devices. */
final class GraphBatch implements JobBatch<GraphFile> {
    private final GraphCalls calls;
    private final WantedOutputs outputs;
    private final Supplier<OpenedGraph> fallback;
    private final Supplier<JobIdentity> identity;
    private final Consumer<OnnxSession> onFirst;
    private final LongConsumer progress;
    private final List<OpenedGraph> graphs;
    private final boolean isPiped;

    /**
     * Prepares a batch; nothing is computed yet.
     *
     * @param graphs the devices; closed at the end
     * @param fallback opens {@code java} when the others have failed
     * @param identity returns what has to be the same when a run is continued, except for the devices
     * @param onFirst receives the session of each device after its first call
     * @param progress receives the number of rows times calls that are done
     * @param isPiped whether what is read or written goes through a pipe
     */
    GraphBatch(
            GraphCalls calls,
            WantedOutputs outputs,
            List<OpenedGraph> graphs,
            Supplier<OpenedGraph> fallback,
            Supplier<JobIdentity> identity,
            Consumer<OnnxSession> onFirst,
            LongConsumer progress,
            boolean isPiped) {
        this.isPiped = isPiped;
        this.calls = calls;
        this.outputs = outputs;
        this.fallback = fallback;
        this.identity = identity;
        this.onFirst = onFirst;
        this.progress = progress;
        this.graphs = new ArrayList<>(graphs);
    }

    @Override
    public long rows() {
        return calls.rows().count();
    }

    @Override
    public int chunkRows() {
        return (int) Math.min(Integer.MAX_VALUE - 1, calls.rows().chunk());
    }

    @Override
    public int fewestRows() {
        return (int) calls.rows().fewest();
    }

    @Override
    public boolean isIndivisible() {
        return calls.rows().axes().isEmpty();
    }

    @Override
    public boolean isResumable() {
        return !isPiped;
    }

    @Override
    public JobIdentity identity() {
        return identity.get().with(graphs.get(0).tier());
    }

    @Override
    public GraphFile create(Path target, boolean overwrite) {
        return GraphFile.create(target, outputs.isArchive(), overwrite, calls.arrays(outputs.written()));
    }

    /** What a file holds can be checked only if the shapes of the arrays are known. */
    @Override
    public GraphFile resumable(Path target, boolean overwrite, boolean isContinued) {
        Map<String, Tensor> shapes = Map.of();
        for (OpenedGraph graph : graphs) {
            shapes = graph.probe(calls);
        }
        GraphFile file = GraphFile.resumable(
                target, outputs.isArchive(), overwrite, isContinued, calls.arrays(outputs.written()));
        file.plan(shapes, calls.rows().typical(), 1);
        return file;
    }

    @Override
    public List<BatchEngine<?, ?>> engines(GraphFile file) {
        return graphs.stream()
                .<BatchEngine<?, ?>>map(graph -> engine(graph, file))
                .toList();
    }

    /** Runs the graph once without rows, as it may say what shape the outputs have then. */
    BatchReport runNothing(Path target, boolean overwrite) {
        long start = System.nanoTime();
        try (GraphFile file = create(target, overwrite)) {
            GraphEngine engine = engine(graphs.get(0), file);
            GraphChunk chunk = engine.newInput(0);
            GraphResults results = engine.newOutput(0);
            try (ChunkSession<GraphChunk, GraphResults> session = engine.newSession()) {
                chunk.read(0, 0);
                session.run(chunk, results, () -> {});
                results.write(0, 0);
            }
            file.commit();
        } finally {
            close(device -> false);
        }
        Duration total = Duration.ofNanos(System.nanoTime() - start);
        return new BatchReport(0, 0, 0, 0, 0, 0, 0, total, Duration.ZERO, Duration.ZERO, Duration.ZERO, List.of());
    }

    private GraphEngine engine(OpenedGraph graph, GraphFile file) {
        return new GraphEngine(graph, calls, file, onFirst, progress);
    }

    @Override
    public BatchEngine<?, ?> openFallback(GraphFile file) {
        OpenedGraph java = fallback.get();
        graphs.add(java);
        return engine(java, file);
    }

    /** The sessions of devices that hang are in use, so they aren't closed here. */
    @Override
    public void close(Predicate<Device> isHung) {
        graphs.forEach(OpenedGraph::close);
    }
}
