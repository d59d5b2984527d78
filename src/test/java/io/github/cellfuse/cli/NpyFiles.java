package io.github.cellfuse.cli;

import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpyWriter;
import io.github.cellfuse.onnx.graph.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Small NumPy files for the tests. */
public final class NpyFiles {
    private NpyFiles() {}

    /** Writes float32; the shape's size is that of {@code values}. */
    public static Path floats(Path file, float[] values, long... shape) {
        try (NpyWriter writer = NpyWriter.create(file, true, shape)) {
            writer.write(0, FloatBuffer.wrap(values));
            writer.commit();
        }
        return file;
    }

    /** Writes zeros. */
    public static Path zeros(Path file, long... shape) {
        return floats(file, new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)], shape);
    }

    /** Writes a tensor of float32 or int64. */
    public static Path write(Path file, Tensor value) {
        try (NpyWriter writer = NpyWriter.create(file, true, value.type(), value.shape())) {
            writer.write(0, value.bytes());
            writer.commit();
        }
        return file;
    }

    /** Writes int64, as NumPy has integers by default. */
    public static Path ints(Path file, int... values) {
        ByteBuffer bytes = header("<i8", values.length, Long.BYTES * values.length);
        for (int value : values) {
            bytes.putLong(value);
        }
        return write(file, bytes);
    }

    /** Writes float64. */
    public static Path doubles(Path file, double[] values, long... shape) {
        ByteBuffer bytes = header(
                "<f8",
                Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(",")),
                values.length * 8);
        for (double value : values) {
            bytes.putDouble(value);
        }
        return write(file, bytes);
    }

    /** A header and room for {@code dataBytes}. */
    public static ByteBuffer header(String dtype, Object shape, int dataBytes) {
        String text = "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + shape + ",), }";
        String padded = text + " ".repeat(63 - (10 + text.length()) % 64) + "\n";
        ByteBuffer bytes = ByteBuffer.allocate(10 + padded.length() + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 0);
        return bytes.putShort((short) padded.length()).put(padded.getBytes(StandardCharsets.US_ASCII));
    }

    private static Path write(Path file, ByteBuffer bytes) {
        try {
            return Files.write(file, bytes.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All values of a file, or of an array in an archive. */
    public static float[] read(Object file) {
        try (NpyArray array = InputFile.parse(file.toString()).open()) {
            float[] values = new float[(int) array.elementCount()];
            array.read(0, FloatBuffer.wrap(values));
            return values;
        }
    }

    /** Its shape. */
    public static long[] shape(Object file) {
        try (NpyArray array = InputFile.parse(file.toString()).open()) {
            return array.shape();
        }
    }

    /** The names in a folder, hidden ones too, in order. */
    public static String names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().collect(Collectors.joining(" "));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
