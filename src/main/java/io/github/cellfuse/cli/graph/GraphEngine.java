package io.github.cellfuse.cli.graph;

import io.github.cellfuse.Device;
import io.github.cellfuse.Tier;
import io.github.cellfuse.batch.BatchEngine;
import io.github.cellfuse.batch.ChunkSession;
import io.github.cellfuse.onnx.graph.OnnxSession;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Runs a graph over rows and writes the results to a file.
 *
 * @param onFirst receives the session after its first call
 * @param progress receives the number of rows times calls that are done
 */
record GraphEngine(
        OpenedGraph graph,
        GraphCalls calls,
        GraphFile file,
        Consumer<OnnxSession> onFirst,
        LongConsumer progress,
        AtomicBoolean isDescribed)
        implements BatchEngine<GraphChunk, GraphResults> {

    GraphEngine(
            OpenedGraph graph, GraphCalls calls, GraphFile file, Consumer<OnnxSession> onFirst, LongConsumer progress) {
        this(graph, calls, file, onFirst, progress, new AtomicBoolean());
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
            if (isDescribed.compareAndSet(false, true)) {
                onFirst.accept(session);
            }
        };
        return new GraphSession(calls, session, onCall, progress);
    }
}
