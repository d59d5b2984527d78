package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.opencl.program.Tile;
import io.github.cellfuse.spi.Sizes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The weights of one layer on the device, packed so that a tile reads one contiguous panel: for each direction and each
 * block of {@code VEC} units {@code [I+P][4][VEC]}, with the input's weights first. The weights of lanes beyond the
 * last unit are zeros. Thread safe: sessions share it.
 */
public final class DeviceWeights {
    private final ClContext context;
    private final List<LstmWeights> layer;
    private final int vec;
    private final WeightPrecision precision;
    private final ClBuffer gates;
    private final ClBuffer bias;
    private final ClBuffer projection;
    private ClBuffer recurrent;
    private ClBuffer byColumn;

    private DeviceWeights(
            ClContext context, ClQueue queue, List<LstmWeights> layer, int vec, WeightPrecision precision) {
        this.context = context;
        this.layer = layer;
        this.vec = vec;
        this.precision = precision;
        Packer packer = new Packer(context, queue, layer, vec);
        try {
            gates = packer.gates(precision);
            bias = packer.bias();
            projection = layer.get(0).hasProjection() ? packer.projection(precision) : null;
        } catch (RuntimeException | Error e) {
            close(); // the context may live on
            throw e;
        }
    }

    /**
     * Uploads a layer: the weights of each direction, all of the same sizes, rounded to {@code precision}. When that
     * fails, it leaves nothing on the device.
     *
     * @throws CellFuseException when the device doesn't have the memory
     */
    static DeviceWeights upload(
            ClContext context, ClQueue queue, List<LstmWeights> layer, int vec, WeightPrecision precision) {
        return new DeviceWeights(context, queue, layer, vec, precision);
    }

    /** Returns {@code [D,B,I+P,4,VEC]}, in the precision of the weights. */
    public ClBuffer gates() {
        return gates;
    }

    /**
     * Returns {@code [D,B,4,VEC]}, float32; with peepholes {@code [D,B,7,VEC]}, those of i, f and o after the gates'
     * biases.
     */
    public ClBuffer bias() {
        return bias;
    }

    /** Returns {@code [D,blocks of P,H,VEC]}, in the precision of the weights; null without a projection. */
    public ClBuffer projection() {
        return projection;
    }

    /**
     * Returns the recurrent weights once more, with those of all unit blocks side by side: {@code [D,P,4,B,VEC]}, in
     * the precision of the weights. Only {@code lstm_sequence_tiled} reads them, so the first call uploads them, and
     * other layers don't take this memory.
     *
     * @throws CellFuseException when the device doesn't have the memory
     */
    synchronized ClBuffer recurrent() {
        if (recurrent == null) {
            recurrent = packed(packer -> packer.recurrent(precision));
        }
        return recurrent;
    }

    /**
     * Returns the recurrent weights once more, with four k of a column side by side: {@code [D,ceil(H/4),B·4·VEC,4]},
     * in the precision of the weights, for a layer without a projection. A column is a gate of a unit, in the order of
     * the pre-activations. Only {@code lstm_sequence_registers} reads them, so the first call uploads them.
     *
     * @throws CellFuseException when the device doesn't have the memory
     */
    synchronized ClBuffer byColumn() {
        if (byColumn == null) {
            byColumn = packed(packer -> packer.byColumn(precision));
        }
        return byColumn;
    }

    /** Uploads weights once more, in an order of their own. */
    private ClBuffer packed(Function<Packer, ClBuffer> order) {
        try (ClQueue queue = context.queue()) {
            return order.apply(new Packer(context, queue, layer, vec));
        }
    }

    /** Frees the device's memory. */
    synchronized void close() {
        Stream.of(gates, bias, projection, recurrent, byColumn)
                .filter(Objects::nonNull)
                .forEach(ClBuffer::close);
    }

    /** Fills one block of one direction, which is all zeros at first. */
    private interface BlockFiller {
        void fill(float[] target, int direction, int block);
    }

    /** Packs and uploads a layer block by block, so that the host never holds a second copy of all weights. */
    private record Packer(ClContext context, ClQueue queue, List<LstmWeights> layer, int vec) {
        ClBuffer gates(WeightPrecision precision) {
            LstmWeights first = layer.get(0);
            int inputs = first.inputSize(), outputs = first.outputSize(), hidden = first.hiddenSize();
            int size = blockSize("weights [I+P,4,VEC]", inputs + outputs, 4, vec);
            return fill("weights", precision, Tile.blocks(hidden, vec), size, (target, direction, block) -> {
                float[] input = layer.get(direction).input();
                float[] recurrent = layer.get(direction).recurrent();
                for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                    for (int lane = 0; lane < vec && block * vec + lane < hidden; lane++) {
                        int row = gate * hidden + block * vec + lane;
                        for (int k = 0; k < inputs; k++) {
                            target[(k * 4 + gate) * vec + lane] = input[row * inputs + k];
                        }
                        for (int k = 0; k < outputs; k++) {
                            target[((inputs + k) * 4 + gate) * vec + lane] = recurrent[row * outputs + k];
                        }
                    }
                }
            });
        }

        ClBuffer bias() {
            LstmWeights first = layer.get(0);
            int hidden = first.hiddenSize(), blocks = Tile.blocks(hidden, vec);
            int vectors = LstmWeights.GATES + (first.hasPeepholes() ? LstmWeights.PEEPHOLES : 0);
            List<float[]> sums = layer.stream().map(LstmWeights::bias).toList();
            return fill("bias", WeightPrecision.F32, blocks, vectors * vec, (target, direction, block) -> {
                float[] sum = sums.get(direction);
                float[] peepholes = layer.get(direction).peepholes().orElse(null);
                for (int lane = 0; lane < vec && block * vec + lane < hidden; lane++) {
                    int unit = block * vec + lane;
                    for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                        target[gate * vec + lane] = sum[gate * hidden + unit];
                    }
                    for (int p = 0; peepholes != null && p < LstmWeights.PEEPHOLES; p++) {
                        target[(LstmWeights.GATES + p) * vec + lane] = peepholes[p * hidden + unit];
                    }
                }
            });
        }

        ClBuffer projection(WeightPrecision precision) {
            int outputs = layer.get(0).outputSize(), hidden = layer.get(0).hiddenSize();
            int size = blockSize("projection [H,VEC]", hidden, vec);
            return fill("projection", precision, Tile.blocks(outputs, vec), size, (target, direction, block) -> {
                float[] values = layer.get(direction).projection().orElseThrow();
                for (int lane = 0; lane < vec && block * vec + lane < outputs; lane++) {
                    for (int k = 0; k < hidden; k++) {
                        target[k * vec + lane] = values[(block * vec + lane) * hidden + k];
                    }
                }
            });
        }

        /** A direction is one block here: few units have all weights side by side. */
        ClBuffer recurrent(WeightPrecision precision) {
            int outputs = layer.get(0).outputSize(), hidden = layer.get(0).hiddenSize();
            int lanes = Tile.blocks(hidden, vec) * vec;
            int size = blockSize("recurrent weights [P,4,B,VEC]", outputs, 4, lanes);
            return fill("recurrent weights", precision, 1, size, (target, direction, block) -> {
                float[] recurrent = layer.get(direction).recurrent();
                for (int k = 0; k < outputs; k++) {
                    for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                        for (int unit = 0; unit < hidden; unit++) {
                            target[(k * 4 + gate) * lanes + unit] = recurrent[(gate * hidden + unit) * outputs + k];
                        }
                    }
                }
            });
        }

        ClBuffer byColumn(WeightPrecision precision) {
            int hidden = layer.get(0).hiddenSize(), columns = Tile.blocks(hidden, vec) * LstmWeights.GATES * vec;
            int size = blockSize("recurrent weights [H/4,B·4·VEC,4]", Tile.blocks(hidden, 4), columns, 4);
            return fill("recurrent weights", precision, 1, size, (target, direction, block) -> {
                float[] recurrent = layer.get(direction).recurrent();
                for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                    for (int unit = 0; unit < hidden; unit++) {
                        int column = (unit / vec * LstmWeights.GATES + gate) * vec + unit % vec;
                        for (int k = 0; k < hidden; k++) {
                            target[(k / 4 * columns + column) * 4 + k % 4] =
                                    recurrent[(gate * hidden + unit) * hidden + k];
                        }
                    }
                }
            });
        }

        /** Returns the number of values in a block, whose bytes have to fit one direct buffer. */
        private static int blockSize(String what, long... shape) {
            long size = Sizes.product(what, shape);
            if (size > Integer.MAX_VALUE / Float.BYTES) {
                throw new CellFuseException(
                        "a block of " + what + ": " + size + " values exceed the limit of one transfer ("
                                + Integer.MAX_VALUE / Float.BYTES + "); use the java device");
            }
            return (int) size;
        }

        private ClBuffer fill(String name, WeightPrecision precision, int blocks, int blockSize, BlockFiller filler) {
            long bytes = Sizes.product(name, layer.size(), blocks, blockSize, precision.bytes());
            long largest = context.device().capabilities().maxAllocationBytes();
            if (bytes > largest) {
                throw new CellFuseException("the " + name + " of a layer: " + bytes + " bytes exceed the " + largest
                        + " that " + context.device() + " allocates at once; use another device");
            }
            int blockBytes = Math.multiplyExact(blockSize, precision.bytes());
            ClBuffer buffer = context.buffer(name, bytes, ClBuffer.Access.READ_ONLY);
            try {
                ByteBuffer staging = ByteBuffer.allocateDirect(blockBytes).order(ByteOrder.nativeOrder());
                float[] values = new float[blockSize];
                for (int k = 0; k < layer.size() * blocks; k++) {
                    Arrays.fill(values, 0.0f);
                    filler.fill(values, k / blocks, k % blocks);
                    store(values, precision, staging.clear());
                    queue.write(buffer, (long) k * blockBytes, staging);
                }
                queue.finish(); // closing the queue only logs a failure
                return buffer;
            } catch (RuntimeException | Error e) {
                buffer.close();
                throw e;
            }
        }

        private static void store(float[] values, WeightPrecision precision, ByteBuffer target) {
            if (precision == WeightPrecision.F32) {
                target.asFloatBuffer().put(values);
                return;
            }
            for (int k = 0; k < values.length; k++) {
                target.putShort(k * Short.BYTES, (short) precision.toBits(values[k]));
            }
        }
    }
}
