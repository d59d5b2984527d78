package io.github.cellfuse.format.file;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.format.npy.FormatFixtures;
import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.format.torch.PyTorchLstm;
import io.github.cellfuse.format.torch.SafetensorsFile;
import io.github.cellfuse.fuzz.Damage;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Valid files with random damage: whatever a reader makes of them, it either reads values or refuses them in one line.
 * {@code -Dcellfuse.seed=N} repeats a run.
 */
class DamagedFilesTest {
    private static final int ROUNDS = 400;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cube.npy",
                "version2.npy",
                "big_f8.npy",
                "little_i8.npy",
                "scalar.npy",
                "stored.npz",
                "deflated.npz",
                "dtypes.safetensors",
                "lstm_deep.safetensors",
                "two_lstms.safetensors"
            })
    void areReadOrRefused(String name) throws IOException {
        long seed = seed();
        byte[] good = Files.readAllBytes(FormatFixtures.file(name));
        Random random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Path file = Files.write(folder.resolve(round + name), Damage.of(good, random));
            try {
                read(file);
            } catch (InvalidInputException e) {
                refused++;
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
                assertTrue(e.getMessage().contains(name), e.getMessage());
            } catch (Throwable e) {
                fail(name + ", round " + round + ": repeat it with -Dcellfuse.seed=" + seed, e);
            }
            Files.delete(file);
        }
        // Most damage hits a header or the length; a reader that takes nearly all of it doesn't look.
        assertTrue(refused > ROUNDS / 4, "refused only " + refused + " of " + ROUNDS + ", seed " + seed);
    }

    private static long seed() {
        String given = System.getProperty("cellfuse.seed", "");
        long seed = given.isBlank() ? new Random().nextInt(1_000_000) : Long.parseLong(given.strip());
        System.err.println("DamagedFilesTest: -Dcellfuse.seed=" + seed);
        return seed;
    }

    private static void read(Path file) {
        String name = file.toString();
        if (name.endsWith(".npy")) {
            try (NpyArray array = NpyArray.open(file)) {
                read(array);
            }
        } else if (name.endsWith(".npz")) {
            try (NpzArchive archive = NpzArchive.open(file)) {
                for (String entry : archive.names()) {
                    try (NpyArray array = archive.array(entry)) {
                        read(array);
                    }
                }
            }
        } else {
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                for (String tensor : tensors.tensors().keySet()) {
                    if (tensors.tensors().get(tensor).floatType().isPresent()) {
                        tensors.readFloats(tensor);
                    }
                }
            }
            if (!name.contains("dtypes")) {
                PyTorchLstm.load(file);
            }
        }
    }

    private static void read(NpyArray array) {
        // Sizes were checked against the file, so that none of them can be large here.
        array.read(0, FloatBuffer.allocate(Math.toIntExact(array.elementCount())));
        if (array.dtype().contains("i")) {
            array.readInts(0, Math.toIntExact(array.elementCount()));
        }
    }
}
