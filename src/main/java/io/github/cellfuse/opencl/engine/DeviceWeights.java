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

/**
 * The weights of one layer on the device, packed so that a tile reads one contiguous panel: for each direction and each block of
 * {@code VEC} units {@code [I+P][4][VEC]}, the input's weights first. Lanes beyond the last unit have weights of zero.
 *
 * @param gates {@code [D,B,I+P,4,VEC]}, in the precision of the weights
 * @param bias {@code [D,B,4,VEC]}, float32; with peepholes {@code [D,B,7,VEC]}, those of i, f and o after the gates' biases
 * @param projection {@code [D,blocks of P,H,VEC]}, in the precision of the weights; null without one
 */
public record DeviceWeights(ClBuffer gates, ClBuffer bias, ClBuffer projection) {

    /** Gives the device's memory back. */
    void close() {
        gates.close();
        bias.close();
        if (projection != null) {
            projection.close();
        }
    }

    /** {@code layer} has the weights of each direction, all of the same sizes, rounded to {@code precision}. */
    static DeviceWeights upload(
            ClContext context, ClQueue queue, List<LstmWeights> layer, int vec, WeightPrecision precision) {
        LstmWeights first = layer.get(0);
        int inputs = first.inputSize(), outputs = first.outputSize(), hidden = first.hiddenSize();
        int directions = layer.size(), blocks = Tile.blocks(hidden, vec), depth = inputs + outputs;

        Packer panel =
                new Packer(queue, precision, directions, blocks, blockSize("weights [I+P,4,VEC]", depth, 4, vec));
        ClBuffer gates = panel.fill(context, "weights", (target, direction, block) -> {
            LstmWeights weights = layer.get(direction);
            for (int gate = 0; gate < LstmWeights.GATES; gate++) {
                for (int lane = 0; lane < vec && block * vec + lane < hidden; lane++) {
                    int row = gate * hidden + block * vec + lane;
                    for (int k = 0; k < inputs; k++) {
                        target[(k * 4 + gate) * vec + lane] = weights.input()[row * inputs + k];
                    }
                    for (int k = 0; k < outputs; k++) {
                        target[((inputs + k) * 4 + gate) * vec + lane] = weights.recurrent()[row * outputs + k];
                    }
                }
            }
        });
        List<float[]> sums = layer.stream().map(LstmWeights::bias).toList();
        int vectors = LstmWeights.GATES + (first.hasPeepholes() ? LstmWeights.PEEPHOLES : 0);
        Packer biases = new Packer(queue, WeightPrecision.F32, directions, blocks, vectors * vec);
        ClBuffer bias = biases.fill(context, "bias", (target, direction, block) -> {
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
        if (!first.hasProjection()) {
            return new DeviceWeights(gates, bias, null);
        }
        Packer projected = new Packer(
                queue, precision, directions, Tile.blocks(outputs, vec), blockSize("projection [H,VEC]", hidden, vec));
        ClBuffer projection = projected.fill(context, "projection", (target, direction, block) -> {
            float[] values = layer.get(direction).projection().orElseThrow();
            for (int lane = 0; lane < vec && block * vec + lane < outputs; lane++) {
                for (int k = 0; k < hidden; k++) {
                    target[k * vec + lane] = values[(block * vec + lane) * hidden + k];
                }
            }
        });
        return new DeviceWeights(gates, bias, projection);
    }

    /** The values of a block, whose bytes one direct buffer must hold. */
    private static int blockSize(String what, long... shape) {
        long size = Sizes.product(what, shape);
        if (size > Integer.MAX_VALUE / Float.BYTES) {
            throw new CellFuseException(
                    "a block of " + what + ": " + size + " values are more than one transfer holds ("
                            + Integer.MAX_VALUE / Float.BYTES + "); choose the java device");
        }
        return (int) size;
    }

    /** Fills one block of one direction, given in zeros. */
    private interface BlockFiller {
        void fill(float[] target, int direction, int block);
    }

    /** Packs and uploads a buffer block by block, so that no second copy of the weights stands in memory. */
    private record Packer(ClQueue queue, WeightPrecision precision, int directions, int blocks, int blockSize) {
        ClBuffer fill(ClContext context, String name, BlockFiller filler) {
            long bytes = Sizes.product(name, directions, blocks, blockSize, precision.bytes());
            long largest = context.device().capabilities().maxAllocationBytes();
            if (bytes > largest) {
                throw new CellFuseException("the " + name + " of a layer: " + bytes + " bytes are more than the "
                        + largest + " that " + context.device() + " allocates at once; choose another device");
            }
            int blockBytes = Math.multiplyExact(blockSize, precision.bytes());
            ClBuffer buffer = context.buffer(name, bytes, ClBuffer.Access.READ_ONLY);
            ByteBuffer staging = ByteBuffer.allocateDirect(blockBytes).order(ByteOrder.nativeOrder());
            float[] values = new float[blockSize];
            for (int k = 0; k < directions * blocks; k++) {
                Arrays.fill(values, 0.0f);
                filler.fill(values, k / blocks, k % blocks);
                store(values, staging.clear());
                queue.write(buffer, (long) k * blockBytes, staging);
            }
            return buffer;
        }

        private void store(float[] values, ByteBuffer target) {
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
