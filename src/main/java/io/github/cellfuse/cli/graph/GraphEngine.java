package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.ChunkSession;
import io.github.cellfuse.onnx.graph.OnnxSession;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Runs a graph over rows and writes the results to a file. */
final class GraphEngine implements BatchEngine<GraphChunk, GraphResults> {
    private final OpenedGraph graph;
    private final GraphCalls calls;
    private final GraphFile file;
    private final Consumer<OnnxSession> onFirst;
    private final LongConsumer progress;
    private final AtomicBoolean isFirst = new AtomicBoolean(true);

    /**
     * @param graph is closed by the caller
     * @param onFirst receives the session after its first call, and none that replaces it
     * @param progress receives the number of rows times calls that are done
     */
    GraphEngine(
            OpenedGraph graph, GraphCalls calls, GraphFile file, Consumer<OnnxSession> onFirst, LongConsumer progress) {
        this.graph = graph;
        this.calls = calls;
        this.file = file;
        this.onFirst = onFirst;
        this.progress = progress;
    }

    @Override
    public Device device() {
        return graph.device();
    }

    @Override
    public Tier tier() {
        return graph.tier();
    }

    @Override
    public GraphChunk newInput(int mostRows) {
        return new GraphChunk(calls);
    }

    @Override
    public GraphResults newOutput(int mostRows) {
        return new GraphResults(calls, file);
    }

    @Override
    public ChunkSession<GraphChunk, GraphResults> newSession() {
        OnnxSession session = graph.take();
        Runnable onCall = () -> {
            if (isFirst.getAndSet(false)) {
                onFirst.accept(session);
            }
        };
        return new GraphSession(calls, session, onCall, progress);
    }
}
