package io.github.cellfuse.cli.graph;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.batch.ChunkSession;
import io.github.cellfuse.batch.FatalBatchException;
import io.github.cellfuse.onnx.graph.OnnxRuntimeException;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.OnnxStream;
import io.github.cellfuse.onnx.graph.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Runs a graph on a device. A graph that is called once for each chunk gets its inputs from the thread that reads, and
 * leaves its results to the one that writes. A graph that is called frame by frame reads and writes as it goes, because
 * a stream may have any number of frames.
 */
final class GraphSession implements ChunkSession<GraphChunk, GraphResults> {
    private final GraphCalls calls;
    private final OnnxSession session;
    private final Runnable onCall;
    private final LongConsumer progress;
    private final OnnxStream stream;
    private final List<DefaultState> defaults;
    private final Map<String, Integer> stateAxes;
    private volatile boolean isCancelled;

    /**
     * @param session is closed with this one
     * @param onCall runs after each call, before its results are used
     * @param progress receives the number of rows after each call; of rows times calls, if that were several at once
     */
    GraphSession(GraphCalls calls, OnnxSession session, Runnable onCall, LongConsumer progress) {
        this.calls = calls;
        this.session = session;
        this.onCall = onCall;
        this.progress = progress;
        stream = new OnnxStream(session, calls.states());
        defaults = calls.defaults();
        stateAxes = calls.stateAxes();
    }

    /** Returns the results of the first call of {@link GraphRows#typical} rows, to know their shapes. */
    static Map<String, Tensor> probe(GraphCalls calls, OnnxSession session) {
        long rows = calls.rows().typical();
        Map<String, Tensor> given =
                calls.inputs().read(calls.rows(), 0, rows, 0, 1, calls.inputs().newMemory());
        return new GraphSession(calls, session, () -> {}, done -> {}).call(given, 0, rows, 0, 1);
    }

    @Override
    public void run(GraphChunk chunk, GraphResults into, Runnable progressed) {
        try {
            if (calls.isOne()) {
                runOnce(chunk, into);
            } else {
                runAll(chunk, into, progressed);
            }
        } catch (OnnxRuntimeException e) {
            throw new FatalBatchException(e);
        } catch (OutOfMemoryError e) {
            if (calls.rows().axes().isPresent()) {
                throw e; // fewer rows may fit
            }
            throw new FatalBatchException(calls.tooLarge(e));
        }
    }

    private void runOnce(GraphChunk chunk, GraphResults into) {
        Map<String, Tensor> given = chunk.of(0, 1);
        Map<String, Tensor> found = new LinkedHashMap<>(session.run(given, into::place));
        // An input that is an output, too, would be overwritten by the next chunk.
        found.replaceAll((name, tensor) -> tensor == given.get(name) ? TensorPart.copy(tensor) : tensor);
        into.keep(found);
        onCall.run();
        progress.accept(chunk.rows());
    }

    private void runAll(GraphChunk chunk, GraphResults into, Runnable progressed) {
        GraphFile file = into.file();
        List<GraphArray.Joiner> joiners =
                file.arrays().stream().map(array -> array.new Joiner()).toList();
        stream.reset();
        FrameGroups groups = calls.groups(chunk.rows());
        for (long call = 0; call < calls.count(); call += groups.size(call)) {
            int atOnce = groups.size(call);
            Map<String, Tensor> found = call(chunk.of(call, atOnce), chunk.firstRow(), chunk.rows(), call, atOnce);
            onCall.run();
            if (isCancelled) {
                throw new CellFuseException("the run was cancelled");
            }
            file.plan(found, chunk.rows(), atOnce);
            for (GraphArray.Joiner joiner : joiners) {
                joiner.add(found.get(joiner.name()), chunk.firstRow(), chunk.rows(), call, atOnce, calls.lengths());
            }
            progress.accept(chunk.rows() * atOnce);
            progressed.run();
        }
    }

    /** Returns the results of some calls, in memory that the next call uses again. */
    private Map<String, Tensor> call(Map<String, Tensor> data, long firstRow, long rows, long call, int atOnce) {
        Map<String, Tensor> given = new LinkedHashMap<>(data);
        if (call == 0) {
            defaults.forEach(
                    state -> given.putIfAbsent(state.input().name(), state.part(calls.rows(), firstRow, rows)));
        }
        Map<String, Tensor> found;
        if (calls.plan().model().isPresent()) {
            String counts = calls.plan().model().get().counts();
            given.put(counts, calls.lengths().within(firstRow, rows, call, atOnce));
            found = new LinkedHashMap<>(stream.run(given));
        } else {
            found = new LinkedHashMap<>(stream.run(given, calls.lengths().ended(firstRow, rows, call), stateAxes));
        }
        // A state is the one that is passed on: it doesn't change after the end of a stream.
        calls.states().forEach((input, output) -> stream.state(input).ifPresent(state -> found.put(output, state)));
        return found;
    }

    /** Interrupting a thread that reads or writes would close its file. */
    @Override
    public void interrupt(Thread runner) {
        isCancelled = true;
        if (calls.isOne()) {
            runner.interrupt();
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
