package io.github.cellfuse.format.npy;

import static io.github.cellfuse.format.npy.FormatFixtures.assertSameValues;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.format.file.ArrayBlock;
import io.github.cellfuse.format.file.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Arrays of any shape, order, byte order and dtype, as NumPy writes them, give the values that NumPy has. */
class NumPyArraysTest {
    private static final int ARRAYS = 80;
    private static final long SEED = Long.getLong("cellfuse.seed", 1);

    private static final String SCRIPT = """
            import sys, warnings, numpy as np
            warnings.simplefilter("ignore")
            folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
            random = np.random.default_rng(seed)
            kinds = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split()
            shapes = [(70, 130, 120), (1 << 20, 3), (9, 40000, 4), (5000, 9, 30)]    # several tiles
            for k in range(count):
                shape = shapes[k] if k < len(shapes) else tuple(random.integers(0 if k % 9 == 0 else 1, 9, k % 6))
                kind = random.choice(["f4", "i2", "f8"]) if k < len(shapes) else kinds[k % len(kinds)]
                a = random.normal(0, 50, shape).astype(kind).astype(random.choice(["<", ">"]) + kind)
                a = np.asfortranarray(a) if k % 4 or k < len(shapes) else a
                a = np.moveaxis(a, 0, -1) if a.ndim > 1 and k % 7 == 0 else a
                with open(f"{folder}/{k}.npy", "wb") as file:
                    np.lib.format.write_array(file, a, version=[(1, 0), (2, 0), (3, 0)][k % 3])
                    file.write(bytes(5 * (k % 16 == 9)))     # NumPy ignores what is behind an array
                np.save(f"{folder}/{k}.expected.npy", np.ascontiguousarray(np.load(f"{folder}/{k}.npy"), "<f4"))
            """;

    @TempDir
    Path folder;

    @Test
    void haveNumPysValues() throws Exception {
        Python.run(SCRIPT, folder, ARRAYS, SEED);
        Random random = new Random(SEED);
        for (int k = 0; k < ARRAYS; k++) {
            try (NpyArray array = NpyArray.open(folder.resolve(k + ".npy"));
                    NpyArray same = NpyArray.open(folder.resolve(k + ".expected.npy"))) {
                float[] expected = same.readAll();
                assertSameValues(expected, array.readAll());
                if (expected.length > 0) {
                    for (int times = 0; times < (k < 4 ? 2 : 20); times++) {
                        checkPiece(array, expected, random);
                        checkPieces(array, expected, random);
                        checkBlock(array, expected, random);
                    }
                }
            }
        }
    }

    private static void checkPiece(NpyArray array, float[] expected, Random random) {
        int first = random.nextInt(expected.length), count = random.nextInt(expected.length - first + 1);
        float[] found = new float[count + 2];
        FloatBuffer target = FloatBuffer.wrap(found, 1, count);
        array.read(first, target);
        assertEquals(count + 1, target.position());
        assertSameValues(Arrays.copyOfRange(expected, first, first + count), Arrays.copyOfRange(found, 1, count + 1));
        if (array.type().isInteger() && array.type().bytes() < 4) {
            int[] integers = array.readInts(first, count);
            for (int k = 0; k < count; k++) {
                assertEquals((int) expected[first + k], integers[k]);
            }
        }
        ByteBuffer doubles = ByteBuffer.allocate(8 * count).order(ByteOrder.BIG_ENDIAN);
        array.read(first, ElementType.FLOAT64, doubles);
        for (int k = 0; k < count; k++) {
            assertEquals(expected[first + k], (float) doubles.getDouble(8 * k), 0);
        }
    }

    /** As rows of a batch are read with the time first, or of rows only the first steps. */
    private static void checkPieces(NpyArray array, float[] expected, Random random) {
        long[] shape = array.shape();
        int outer = shape.length == 0 ? 1 : (int) shape[0], inner = expected.length / outer;
        int from = random.nextInt(inner), length = 1 + random.nextInt(inner - from);
        int first = random.nextInt(outer), count = 1 + random.nextInt(outer - first);
        int step = 1 + random.nextInt(2);
        long[] firsts = LongStream.range(first, first + count)
                .filter(k -> k % step == 0)
                .map(k -> k * inner + from)
                .toArray();
        float[] found = new float[firsts.length * length], wanted = new float[found.length];
        for (int k = 0; k < firsts.length; k++) {
            System.arraycopy(expected, (int) firsts[k], wanted, k * length, length);
        }
        if (firsts.length > 0) {
            array.readPieces(firsts, FloatBuffer.wrap(found));
        }
        assertSameValues(wanted, found);
    }

    private static void checkBlock(NpyArray array, float[] expected, Random random) {
        ArrayBlock block = ArrayBlock.whole(array.shape());
        for (int axis = 0; axis < array.shape().length; axis++) {
            int first = random.nextInt((int) array.shape()[axis]);
            block = block.part(axis, first, 1 + random.nextInt((int) array.shape()[axis] - first));
        }
        int count = (int) block.elementCount();
        ByteBuffer found = ByteBuffer.allocate(4 * count);
        array.read(block, ElementType.FLOAT32, found);
        assertEquals(found.limit(), found.position());
        float[] wanted = new float[count], values = new float[count];
        block.forEach((inArray, inBlock, some) -> System.arraycopy(expected, (int) inArray, wanted, inBlock, some));
        found.rewind().asFloatBuffer().get(values);
        assertSameValues(wanted, values);
    }

    @Test
    void areReadFromAFolder() throws Exception {
        Python.run("""
                import sys, numpy as np
                x = np.arange(11 * 5 * 3, dtype="f4").reshape(11, 5, 3)
                for k, part in enumerate(np.split(x, [2, 2, 7, 8])):
                    np.save(f"{sys.argv[1]}/{k}.npy", np.asfortranarray(part) if k % 2 == 0 else part.astype(">f8"))
                """, folder);
        float[] found = new float[11 * 5 * 3];
        try (NpyFolder array = NpyFolder.open(folder)) {
            assertArrayEquals(new long[] {11, 5, 3}, array.shape());
            array.read(0, FloatBuffer.wrap(found));
            for (int k = 0; k < found.length; k++) {
                assertEquals(k, found[k], 0);
            }
            array.readPieces(new long[] {15, 60, 75}, FloatBuffer.wrap(found, 0, 18));
            assertArrayEquals(
                    new float[] {15, 16, 17, 18, 19, 20, 60, 61, 62, 63, 64, 65, 75, 76, 77, 78, 79, 80},
                    Arrays.copyOf(found, 18));
            assertEquals(false, array.isFastByRow());
        }
    }
}
