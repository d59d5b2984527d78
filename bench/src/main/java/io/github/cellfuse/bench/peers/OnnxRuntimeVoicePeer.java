package io.github.cellfuse.bench.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.cellfuse.bench.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Streams of frames in ONNX Runtime alone: frame by frame, because each call needs the state of the one before. Reads
 * the frames and writes the results in place. States pass through two tensors in turns, without a copy.
 *
 * <p>A frame of few streams is little work, which one thread may do faster than several that wait for each other. So
 * there is a session with one thread, too, and a trial decides.
 */
final class OnnxRuntimeVoicePeer implements Peer {
    /** Of each session, on at least so many frames, and about so many frames times streams. */
    private static final int TRIALS = 5, LEAST_FRAMES = 8, TRIAL_ROWS = 1024;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    /** That of all threads, and that of one. */
    private final List<OrtSession> sessions = new ArrayList<>();

    private final List<OnnxTensor> tensors = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private OrtSession session;
    private FloatBuffer results;

    /** A frame's inputs, and where its outputs go. */
    private record Call(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {}

    OnnxRuntimeVoicePeer(Settings settings) {
        sessions.add(open(settings));
        if (settings.threads() > 1) {
            sessions.add(open(settings.withThreads(1)));
        }
    }

    private OrtSession open(Settings settings) {
        try (OrtSession.SessionOptions options = OnnxRuntimePeer.options(settings)) {
            return settings.voiceModel().isPresent()
                    ? environment.createSession(settings.voiceModel().get().toString(), options)
                    : environment.createSession(Voice.model().toByteArray(), options);
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    @Override
    public String version() {
        return environment.getVersion();
    }

    @Override
    public void prepare(ContestProblem problem) {
        closeTensors();
        Shape shape = problem.shape();
        int streams = shape.rows(), frames = shape.steps(), frame = streams * Voice.SAMPLES;
        results = floats(frames * streams);
        try {
            OnnxTensor zeros = state(streams);
            List<OnnxTensor> turns = List.of(state(streams), state(streams));
            Map<String, OnnxTensor> constant = new HashMap<>();
            if (sessions.get(0).getInputNames().contains(Voice.RATE)) {
                constant.put(Voice.RATE, keep(OnnxTensor.createTensor(environment, Voice.RATE_VALUE)));
            }
            for (int k = 0; k < frames; k++) {
                Map<String, OnnxTensor> inputs = new HashMap<>(constant);
                inputs.put(Voice.INPUT, tensor(problem.x().slice(k * frame, frame), streams, Voice.SAMPLES));
                inputs.put(Voice.STATE, k == 0 ? zeros : turns.get((k + 1) % 2));
                OnnxTensor result = tensor(results.slice(k * streams, streams), streams, 1);
                calls.add(new Call(inputs, Map.of(Voice.OUTPUT, result, Voice.NEXT_STATE, turns.get(k % 2))));
            }
            session = fastest(calls.subList(0, Math.min(frames, Math.max(LEAST_FRAMES, TRIAL_ROWS / streams))));
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    /** Returns the session that is fastest on some frames, by trials in turns. */
    private OrtSession fastest(List<Call> frames) throws OrtException {
        double[][] seconds = new double[sessions.size()][TRIALS];
        int best = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            for (int k = 0; k < seconds.length; k++) {
                long start = System.nanoTime();
                run(sessions.get(k), frames);
                seconds[k][trial] = (System.nanoTime() - start) * 1e-9;
            }
        }
        for (int k = 1; k < seconds.length; k++) {
            best = Statistics.median(seconds[k]) < Statistics.median(seconds[best]) ? k : best;
        }
        return sessions.get(best);
    }

    private static void run(OrtSession session, List<Call> frames) throws OrtException {
        for (Call call : frames) {
            session.run(call.inputs(), call.outputs()).close();
        }
    }

    private OnnxTensor state(int streams) throws OrtException {
        return tensor(floats(2 * streams * Voice.UNITS), 2, streams, Voice.UNITS);
    }

    private static FloatBuffer floats(int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** Returns a tensor in the memory of a direct buffer. */
    private OnnxTensor tensor(FloatBuffer values, long... shape) throws OrtException {
        return keep(OnnxTensor.createTensor(environment, values, shape));
    }

    private OnnxTensor keep(OnnxTensor tensor) {
        tensors.add(tensor);
        return tensor;
    }

    @Override
    public void run() {
        try {
            run(session, calls);
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }

    /** The results {@code [T,N]}. */
    @Override
    public FloatBuffer output() {
        return results;
    }

    private void closeTensors() {
        calls.clear();
        tensors.forEach(OnnxTensor::close);
        tensors.clear();
    }

    @Override
    public void close() {
        closeTensors();
        try {
            for (OrtSession open : sessions) {
                open.close();
            }
        } catch (OrtException e) {
            throw OnnxRuntimePeer.failed(e);
        }
    }
}
