package io.github.cellfuse.format.keras;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.TestEngines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever becomes of a file, it is read or refused in one line. {@code -Dcellfuse.seed=N} repeats a run. */
class DamagedKerasTest {
    private static final int ROUNDS = 400;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stack_2.h5",
                "single_3_h5.h5",
                "functional_2.h5",
                "shuffled_2.h5",
                "cudnn_2.h5",
                "stack_3.keras",
                "bidirectional_3.keras"
            })
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void truncatedFilesAreRefused(String name) throws IOException {
        byte[] good = Files.readAllBytes(KerasCases.file(name));
        Path file = folder.resolve(name);
        int step = Math.max(1, good.length / 300);
        for (int length = 0; length < good.length; length += length < 64 ? 1 : step) {
            Files.write(file, Arrays.copyOf(good, length));
            if (read(file, "length " + length)) {
                // HDF5 pads; but the weights of these models lie all over the file.
                assertTrue(length > good.length * 3 / 4, "read from " + length + " of " + good.length + " bytes");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stack_2.h5",
                "single_3_h5.h5",
                "functional_2.h5",
                "shuffled_2.h5",
                "cudnn_2.h5",
                "stack_3.keras",
                "bidirectional_3.keras"
            })
    @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void flippedBytesAreReadOrRefused(String name) throws IOException {
        long seed = TestEngines.seed(new Random().nextInt(1_000_000));
        System.err.println("DamagedKerasTest: -Dcellfuse.seed=" + seed);
        Random random = new Random(seed);
        byte[] good = Files.readAllBytes(KerasCases.file(name));
        Path file = folder.resolve(name);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = good.clone();
            for (int wounds = 1 + random.nextInt(4); wounds > 0; wounds--) {
                int at = random.nextInt(bytes.length);
                // Zeros are the padding between HDF5's structures: whole runs of bytes hit these, too.
                int length = random.nextInt(3) == 0 ? 1 + random.nextInt(16) : 1;
                for (int k = at; k < Math.min(bytes.length, at + length); k++) {
                    bytes[k] = switch (random.nextInt(4)) {
                        case 0 -> (byte) (bytes[k] ^ 1 << random.nextInt(8));
                        case 1 -> (byte) 0xFF;
                        case 2 -> (byte) 0x7F;
                        default -> (byte) random.nextInt(256);
                    };
                }
            }
            Files.write(file, bytes);
            refused += read(file, "round " + round + ", -Dcellfuse.seed=" + seed) ? 0 : 1;
        }
        assertTrue(refused > ROUNDS / 10, "refused only " + refused + " of " + ROUNDS + ", seed " + seed);
        // Every byte of an archive is under a checksum or in its directory.
        assertTrue(!name.endsWith(".keras") || refused > ROUNDS * 8 / 10, "refused " + refused);
    }

    /** Whether it could be read. */
    private static boolean read(Path file, String what) {
        try {
            KerasLstm.load(file);
            return true;
        } catch (InvalidInputException e) {
            assertFalse(e.getMessage().contains("\n"), e.getMessage());
            assertTrue(e.getMessage().contains(file.getFileName().toString()), e.getMessage());
            return false;
        } catch (Throwable e) {
            return fail(what, e);
        }
    }
}
