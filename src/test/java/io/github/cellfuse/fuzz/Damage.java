package io.github.cellfuse.fuzz;

import java.util.Arrays;
import java.util.Random;

/** Damages files as broken disks, interrupted copies and editors do. */
public final class Damage {
    /** Bytes that have a meaning in some header. */
    private static final byte[] TELLING = "0129{}[](),:'\"\\ <>fiuLPK\0\1\7\177\200\377".getBytes();

    private Damage() {}

    /** Returns a copy of {@code good} with one to three wounds. */
    public static byte[] of(byte[] good, Random random) {
        byte[] bytes = good.clone();
        int wounds = 1 + random.nextInt(3);
        for (int k = 0; k < wounds && bytes.length > 0; k++) {
            // Half of them within the header.
            int at = random.nextInt(random.nextBoolean() ? Math.min(bytes.length, 200) : bytes.length);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = TELLING[random.nextInt(TELLING.length)];
                case 2 -> bytes = Arrays.copyOf(bytes, at);
                case 3 -> bytes = spliced(bytes, at, at, random.nextInt(9), random);
                case 4 -> bytes = spliced(bytes, at, Math.min(bytes.length, at + random.nextInt(9)), 0, random);
                default -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 4), (byte) -random.nextInt(2));
            }
        }
        return bytes;
    }

    /** The bytes from {@code from} to {@code to} replaced by {@code count} others. */
    private static byte[] spliced(byte[] bytes, int from, int to, int count, Random random) {
        byte[] result = new byte[bytes.length - (to - from) + count];
        System.arraycopy(bytes, 0, result, 0, from);
        for (int k = 0; k < count; k++) {
            result[from + k] = TELLING[random.nextInt(TELLING.length)];
        }
        System.arraycopy(bytes, to, result, from + count, bytes.length - to);
        return result;
    }
}
