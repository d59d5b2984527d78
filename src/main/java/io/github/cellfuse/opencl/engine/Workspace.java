package io.github.cellfuse.opencl.engine;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.spi.RowOrder;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * The device memory of a session: a buffer for each {@link DeviceTensor}, kept from run to run. Belongs to one session.
 */
final class Workspace implements AutoCloseable {
    private final Map<DeviceTensor, GrowingBuffer> buffers = new EnumMap<>(DeviceTensor.class);
    private RowOrder orderOnDevice;
    private int[] placesOnDevice;

    Workspace(ClContext context, ClQueue queue) {
        for (DeviceTensor tensor : DeviceTensor.values()) {
            buffers.put(tensor, new GrowingBuffer(context, queue, tensor.title()));
        }
    }

    /** Makes room for all tensors of {@code run}. What was in a buffer that has to grow is lost. */
    void ensure(RunSizes run) {
        String remedy = run.rows() > 1
                ? "use a smaller batch"
                : "a single row of " + run.steps() + " steps is too large: cut it, or use another device, such as java";
        buffers.forEach((tensor, buffer) -> buffer.ensure(remedy, tensor.dimensions(run)));
    }

    /** Returns the buffer of {@code tensor} as {@link #ensure} left it. */
    ClBuffer buffer(DeviceTensor tensor) {
        return buffers.get(tensor).get();
    }

    /** Makes the buffer of {@code tensor} larger than a run needs: for tests that look at what is beyond the tensor. */
    ClBuffer ensure(DeviceTensor tensor, long values) {
        return buffers.get(tensor).ensure(values);
    }

    /**
     * Writes the order of the rows, unless the device has it from the previous run: batches of one size without lengths
     * all have the same order.
     *
     * @param places {@code [N]} where the states of each row are, in the order of the rows
     */
    void writeOrder(Transfers transfers, RowOrder rows, int[] places) {
        if (!rows.equals(orderOnDevice) || !Arrays.equals(places, placesOnDevice)) {
            orderOnDevice = null; // in case a transfer fails
            transfers.write(buffer(DeviceTensor.ORDER), places);
            transfers.write(buffer(DeviceTensor.LENGTHS), rows.toLengthArray());
            transfers.write(buffer(DeviceTensor.ACTIVE), rows.toActiveArray());
            orderOnDevice = rows;
            placesOnDevice = places;
        }
    }

    @Override
    public void close() {
        buffers.values().forEach(GrowingBuffer::close);
    }
}
