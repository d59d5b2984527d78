package io.github.cellfuse.bench.peers;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.cli.graph.FrameGroups;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.Binding;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.OnnxStream;
import io.github.cellfuse.onnx.graph.SequenceModel;
import io.github.cellfuse.onnx.graph.SequencePlan;
import io.github.cellfuse.onnx.graph.Tensor;
import io.github.cellfuse.onnx.shape.RowAxes;
import io.github.cellfuse.onnx.shape.RowProof;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Streams of frames in CellFuse, as {@code cellfuse run --frames} computes them: many frames at once, which are rows in
 * ONNX Runtime, and the steps of sequences on the device.
 */
final class CellFuseVoicePeer implements Peer {
    private static final Map<String, String> STATES = Map.of(Voice.STATE, Voice.NEXT_STATE);

    private final CellFusePeer layers;
    private final Device device;
    private final OnnxModel model;
    private final List<Map<String, Tensor>> groups = new ArrayList<>();
    private OnnxSession session;
    private OnnxStream stream;
    private FloatBuffer results;

    CellFuseVoicePeer(Settings settings) {
        layers = new CellFusePeer(settings);
        device = Device.parse(settings.device());
        OnnxFile file = settings.voiceModel()
                .map(OnnxFile::open)
                .orElseGet(() -> OnnxFile.of(Path.of("voice.onnx"), Voice.model()));
        boolean hasRate =
                file.inputs().stream().anyMatch(input -> input.getName().equals(Voice.RATE));
        Map<String, Binding> bindings =
                hasRate ? Map.of(Voice.RATE, Binding.of(Tensor.of(new long[] {Voice.RATE_VALUE}))) : Map.of();
        model = OnnxModel.of(file, GraphOptions.DEFAULT.withBindings(bindings));
    }

    @Override
    public String version() {
        return layers.version();
    }

    @Override
    public void prepare(ContestProblem problem) {
        closeSession();
        int streams = problem.shape().rows(), frames = problem.shape().steps();
        RowAxes axes = axes(streams);
        SequenceModel sequences = sequences(axes);
        session = sequences.model().session(device, EngineOptions.DEFAULT);
        stream = new OnnxStream(session, STATES);
        groups.clear();
        FrameGroups sizes = FrameGroups.of(frames, streams, axes.fewest(), Long.MAX_VALUE);
        for (int first = 0; first < frames; first += sizes.size(first)) {
            groups.add(group(problem, first, sizes.size(first), sequences.counts()));
        }
        results = ByteBuffer.allocateDirect(frames * streams * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private RowAxes axes(int streams) {
        RowProof proof = model.rows(shapes(streams));
        return proof.axes().orElseThrow(() -> isNone(proof.reason()));
    }

    private SequenceModel sequences(RowAxes axes) {
        SequencePlan plan = model.withShapes(shapes(-1)).sequences(STATES, axes);
        return plan.model().orElseThrow(() -> isNone(plan.reason()));
    }

    private CellFuseException isNone(String reason) {
        return new CellFuseException(
                model.path() + ": expected a model whose frames can be steps of sequences, found that " + reason);
    }

    private static Map<String, long[]> shapes(int streams) {
        return Map.of(
                Voice.INPUT, new long[] {streams, Voice.SAMPLES}, Voice.STATE, new long[] {2, streams, Voice.UNITS});
    }

    /** Returns the inputs for some frames, which are next to each other in the problem's memory. */
    private static Map<String, Tensor> group(ContestProblem problem, int first, int count, String counts) {
        Shape shape = problem.shape();
        int frame = shape.rows() * Voice.SAMPLES * Float.BYTES;
        ByteBuffer samples = problem.bytes().slice(first * frame, count * frame).order(ByteOrder.nativeOrder());
        int[] each = new int[shape.rows()];
        Arrays.fill(each, count);
        return Map.of(
                Voice.INPUT,
                new Tensor(ElementType.FLOAT32, samples, (long) count * shape.rows(), Voice.SAMPLES),
                counts,
                Tensor.of(each, shape.rows()));
    }

    @Override
    public void run() {
        stream.reset();
        results.clear();
        for (Map<String, Tensor> group : groups) {
            results.put(stream.run(group).get(Voice.OUTPUT).floats());
        }
        results.clear();
    }

    /** The results {@code [T,N]}. */
    @Override
    public FloatBuffer output() {
        return results;
    }

    @Override
    public String plan() {
        return "in " + groups.size() + " groups of frames; " + String.join("; ", session.explain());
    }

    private void closeSession() {
        if (session != null) {
            session.close();
        }
    }

    @Override
    public void close() {
        closeSession();
        layers.close();
    }
}
