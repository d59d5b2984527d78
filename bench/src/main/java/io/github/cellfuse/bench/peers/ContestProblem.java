package io.github.cellfuse.bench.peers;

import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;

/**
 * The problem of every contender: one forward layer on random data, from zero states. Each process makes it from the
 * shape alone, and all get the same bits, because {@link Random} is specified.
 *
 * @param shape its size
 * @param weights the layer, gates i f g o
 * @param bytes x {@code [T,N,I]}, direct and in native order, so that every library can use it in place
 */
public record ContestProblem(Shape shape, LstmWeights weights, ByteBuffer bytes) {

    /** Returns the problem of that size, which is the same every time. */
    public static ContestProblem random(Shape shape) {
        Random random = new Random(1);
        int inputs = shape.inputs(), units = shape.units();
        // The spread of PyTorch's default initialisation: pre-activations stay where σ and tanh are neither flat nor
        // linear.
        float scale = (float) (1 / Math.sqrt(units));
        LstmWeights weights = LstmWeights.builder(inputs, units)
                .input(values(random, Sizes.elements("W [4H,I]", 4, units, inputs), scale))
                .recurrent(values(random, Sizes.elements("R [4H,H]", 4, units, units), scale))
                .inputBias(values(random, 4 * units, scale))
                .recurrentBias(values(random, 4 * units, scale))
                .build();
        ByteBuffer bytes = buffer("x [T,N,I]", shape.steps(), shape.rows(), inputs);
        FloatBuffer x = bytes.asFloatBuffer();
        for (int k = 0; k < x.limit(); k++) {
            x.put(k, random.nextFloat() * 2 - 1);
        }
        return new ContestProblem(shape, weights, bytes);
    }

    /** Returns a view of x {@code [T,N,I]}. */
    public FloatBuffer x() {
        return bytes.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** Room for {@code y [T,N,H]}, direct and in native order. */
    public FloatBuffer newOutput() {
        return buffer("y [T,N,H]", shape.steps(), shape.rows(), shape.units()).asFloatBuffer();
    }

    private static float[] values(Random random, int count, float scale) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = (random.nextFloat() * 2 - 1) * scale;
        }
        return values;
    }

    private static ByteBuffer buffer(String what, long... dimensions) {
        int floats = Sizes.elements(what, dimensions);
        return ByteBuffer.allocateDirect(Sizes.elements(what + " in bytes", floats, Float.BYTES))
                .order(ByteOrder.nativeOrder());
    }
}
