package io.github.cellfuse.bench.peers;

import io.github.cellfuse.bench.Shape;
import java.nio.FloatBuffer;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.lstm_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory.data_type;
import org.bytedeco.dnnl.memory.format_tag;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * oneDNN's {@code lstm_forward} primitive. The weights are reordered in advance into the format that the primitive
 * requests; x is read and y is written in place. Initial and final states are omitted; initial states are then zeros.
 */
final class OneDnnPeer implements Peer {
    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream queue = new stream(cpu);
    private PointerScope scope;
    /** Kept, because oneDNN holds no more than the address of its x. */
    private ContestProblem problem;

    private lstm_forward primitive;
    private IntMemoryMap arguments;
    private FloatBuffer y;

    OneDnnPeer(Settings settings) {
        // Threads come from OpenMP, which the parent process sets up through the environment.
    }

    @Override
    public String version() {
        dnnl_version_t version = dnnl.dnnl_version();
        return version.major() + "." + version.minor() + "." + version.patch();
    }

    @Override
    public void prepare(ContestProblem problem) {
        closeProblem();
        this.problem = problem;
        scope = new PointerScope();
        Shape shape = problem.shape();
        long inputs = shape.inputs(), units = shape.units();
        memory.desc x = desc(format_tag.tnc, shape.steps(), shape.rows(), inputs);
        memory.desc dst = desc(format_tag.tnc, shape.steps(), shape.rows(), units);
        // Dimensions are layers, directions, inputs, gates, outputs whatever the order in memory.
        memory.desc bias = desc(format_tag.ldgo, 1, 1, 4, units);
        memory.desc none = new memory.desc();
        lstm_forward.primitive_desc description = new lstm_forward.primitive_desc(
                cpu,
                dnnl.prop_kind.forward_inference,
                dnnl.rnn_direction.unidirectional_left2right,
                x,
                none,
                none,
                desc(format_tag.any, 1, 1, inputs, 4, units),
                desc(format_tag.any, 1, 1, units, 4, units),
                bias,
                dst,
                none,
                none);
        primitive = new lstm_forward(description);
        y = problem.newOutput();
        arguments = new IntMemoryMap();
        arguments.put(dnnl.DNNL_ARG_SRC_LAYER, new memory(x, cpu, new Pointer(problem.x())));
        arguments.put(dnnl.DNNL_ARG_DST_LAYER, new memory(dst, cpu, new Pointer(y)));
        arguments.put(
                dnnl.DNNL_ARG_WEIGHTS_LAYER,
                packed(problem.weights().input(), description.weights_layer_desc(), inputs, units));
        arguments.put(
                dnnl.DNNL_ARG_WEIGHTS_ITER,
                packed(problem.weights().recurrent(), description.weights_iter_desc(), units, units));
        arguments.put(
                dnnl.DNNL_ARG_BIAS,
                new memory(bias, cpu, new FloatPointer(problem.weights().bias())));
    }

    /** Weights {@code [4,H,K]}, gates i f g o as oneDNN's, in the primitive's own format. */
    private memory packed(float[] weights, memory.desc format, long k, long units) {
        memory plain = new memory(desc(format_tag.ldgoi, 1, 1, k, 4, units), cpu, new FloatPointer(weights));
        memory packed = new memory(format, cpu);
        new reorder(plain, packed).execute(queue, plain, packed);
        queue._wait();
        return packed;
    }

    private static memory.desc desc(format_tag tag, long... dimensions) {
        return new memory.desc(dimensions, data_type.f32, tag);
    }

    @Override
    public void run() {
        primitive.execute(queue, arguments);
        queue._wait();
    }

    @Override
    public FloatBuffer output() {
        return y;
    }

    private void closeProblem() {
        if (scope != null) {
            scope.close();
            scope = null;
        }
    }

    @Override
    public void close() {
        closeProblem();
        queue.close();
        cpu.close();
    }
}
