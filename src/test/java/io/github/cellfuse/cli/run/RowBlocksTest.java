package io.github.cellfuse.cli.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.cli.InputFile;
import io.github.cellfuse.cli.NpyFiles;
import io.github.cellfuse.format.file.ArraySink;
import io.github.cellfuse.format.file.ElementType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.Checksum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
