package io.github.cellfuse.bench.jmh;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.cl.Capabilities;
import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClDevice;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.opencl.program.Kernel;
import io.github.cellfuse.opencl.program.Signatures;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/**
 * The first OpenCL device, with programs from the kernel files and random buffers, for benchmarks of single kernels.
 */
final class Bench implements AutoCloseable {
    private final ClContext context;
    private final ClQueue queue;
    private final Random random = new Random(1);

    Bench() {
        List<ClDevice> devices = OpenCl.devices();
        if (devices.isEmpty()) {
            throw new CellFuseException("no OpenCL device: " + String.join(" ", OpenCl.problems()));
        }
        context = devices.get(0).open();
        queue = context.queue();
    }

    ClContext context() {
        return context;
    }

    ClQueue queue() {
        return queue;
    }

    /** Lanes as an engine would take them: the width of a CPU's registers, 4 on other devices. */
    int vec() {
        Capabilities has = context.device().capabilities();
        return isCpu() ? Math.max(4, Math.min(16, has.nativeFloatWidth())) : 4;
    }

    /** Returns the rows of a tile that an engine would choose for a large batch. */
    int tileRows() {
        return isCpu() ? vec() == 16 ? 6 : 3 : 4;
    }

    boolean isCpu() {
        return context.device().capabilities().type() == Capabilities.Type.CPU;
    }

    /** Returns a kernel of a program made of {@code files} of the folder kernels, compiled as one text. */
    Kernel kernel(String name, int vec, int rows, String... files) {
        List<String> texts = List.of(files).stream().map(Bench::read).toList();
        String options = "-D VEC=" + vec + " -D ROWS=" + rows;
        return Kernel.open(context.program(name, texts, options), new Signatures(texts, options), name);
    }

    /** On a CPU the work-group's size as an engine gives it; elsewhere the driver's choice. */
    NdRange local(NdRange range, long... size) {
        return isCpu() ? range.local(size) : range.anyLocal();
    }

    /** Random values from -1 to 1. */
    float[] values(int count) {
        float[] values = new float[count];
        for (int k = 0; k < count; k++) {
            values[k] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    ClBuffer buffer(String name, int floats) {
        return context.buffer(name, (long) floats * Float.BYTES, ClBuffer.Access.READ_WRITE);
    }

    ClBuffer buffer(String name, float[] values) {
        ClBuffer buffer = buffer(name, values.length);
        write(buffer, values);
        return buffer;
    }

    /** Returns a buffer of {@code count} times the same integer. */
    ClBuffer integers(String name, int count, int value) {
        ClBuffer buffer = buffer(name, count);
        queue.fill(buffer, 0, buffer.bytes(), value);
        return buffer;
    }

    void write(ClBuffer buffer, float[] values) {
        queue.write(buffer, 0, direct(values.length).put(values).flip());
    }

    float[] read(ClBuffer buffer) {
        float[] values = new float[(int) (buffer.bytes() / Float.BYTES)];
        FloatBuffer host = direct(values.length);
        queue.read(buffer, 0, host);
        host.get(values);
        return values;
    }

    static FloatBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(floats * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** Fails the benchmark when a result is further from the truth than {@code most}. */
    static void expect(String what, double expected, double found, double most) {
        // Negated, so that NaN fails.
        if (!(Math.abs(expected - found) <= most)) {
            throw new AssertionError(what + ": expected " + expected + ", found " + found);
        }
    }

    @Override
    public void close() {
        context.close();
    }

    private static String read(String file) {
        try (InputStream in = Bench.class.getResourceAsStream("/kernels/" + file + ".cl")) {
            if (in == null) {
                throw new CellFuseException("kernels/" + file + ".cl is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
