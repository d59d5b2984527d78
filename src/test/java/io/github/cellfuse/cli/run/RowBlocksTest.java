package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.format.npy.NpyWriter;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowBlocksTest {
    @TempDir
    Path folder;

    @Test
    void rowsBeyondWhatAnIntCountsGoToTheirPlace() {
        List<String> writes = new ArrayList<>();
        ArraySink sink = new ArraySink() {
            @Override
            public ElementType type() {
                return ElementType.FLOAT32;
            }

            @Override
            public long[] shape() {
                return new long[] {3, 4_000_000_000L, 5};
            }

            @Override
            public long elementCount() {
                return 60_000_000_000L;
            }

            @Override
            public void write(long firstElement, FloatBuffer source, Checksum checksum) {
                writes.add(firstElement + "+" + source.remaining() + "=" + source.get(0));
            }

            @Override
            public void write(long firstElement, ByteBuffer source, Checksum checksum) {
                throw new AssertionError("expected floats");
            }

            @Override
            public void checksum(long firstElement, long count, Checksum checksum) {
                writes.add(firstElement + "+" + count);
            }

            @Override
            public void markWritten(long firstElement, long count) {
                writes.add(firstElement + "+" + count + " is there");
            }
        };
        FloatBuffer source = FloatBuffer.allocate(30);
        for (int k = 0; k < 30; k++) {
            source.put(k, k);
        }
        RowBlocks blocks = new RowBlocks(3, 4_000_000_000L, 5);
        blocks.write(sink, 3_999_999_998L, 2, source, new CRC32C());
        assertEquals(List.of("19999999990+10=0.0", "39999999990+10=10.0", "59999999990+10=20.0"), writes);
        writes.clear();
        blocks.checksum(sink, 3_999_999_998L, 2, new CRC32C());
        assertEquals(List.of("19999999990+10", "39999999990+10", "59999999990+10"), writes);
        writes.clear();
        blocks.markWritten(sink, 3_999_999_998L, 2);
        assertEquals("19999999990+10 is there", writes.get(0));
        assertEquals(3, writes.size());
    }

    /** What is left out of a tensor is zeros in the file, and in the checksum. */
    @ParameterizedTest
    @CsvSource({"1, 4, 6, 2", "3, 4, 2, 8", "3, 4, 2, 4"})
    void zerosFollowWhatIsShorter(int outer, int rows, int width, int given) {
        float[] old = new float[outer * rows * width];
        Arrays.fill(old, 7);
        Path file = folder.resolve("b.npy");
        RowBlocks blocks = new RowBlocks(outer, rows, width);
        CRC32C written = new CRC32C(), found = new CRC32C();
        try (NpyWriter sink = NpyWriter.create(file, false, outer, rows, width)) {
            sink.write(0, FloatBuffer.wrap(old));
            // Rows 1 and 2.
            int perRow = outer == 1 ? given : given / 2 / width * width;
            float[] part = new float[2 * perRow];
            Arrays.fill(part, 1);
            blocks.write(sink, 1, 2, FloatBuffer.wrap(part), written);
            blocks.checksum(sink, 1, 2, found);
            assertEquals(found.getValue(), written.getValue());
            sink.commit();
            float[] values = NpyFiles.read(file);
            for (int k = 0; k < values.length; k++) {
                int block = k / (rows * width), row = k / width % rows;
                int step = outer == 1 ? k % width : block * width + k % width;
                assertEquals(row == 0 || row == 3 ? 7 : step < perRow ? 1 : 0, values[k], "element " + k);
            }
        }
    }

    @Test
    void readsARangeOfRowsOutOfEveryBlock() {
        float[] values = new float[2 * 4 * 3];
        for (int k = 0; k < values.length; k++) {
            values[k] = k;
        }
        Path file = NpyFiles.floats(folder.resolve("a.npy"), values, 2, 4, 3);
        FloatBuffer target = FloatBuffer.allocate(12);
        new RowBlocks(2, 4, 3).read(InputFile.parse(file.toString()).open(), 1, 2, target);
        assertArrayEquals(new float[] {3, 4, 5, 6, 7, 8, 15, 16, 17, 18, 19, 20}, target.array());
    }
}
