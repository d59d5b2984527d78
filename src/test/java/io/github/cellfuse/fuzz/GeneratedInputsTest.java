package io.github.cellfuse.fuzz;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.cellfuse.Extent;
import io.github.cellfuse.TestEngines;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each reader on its seeds, and on a fixed number of damaged copies of them. {@code bin/fuzz} tries more. */
class GeneratedInputsTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @ParameterizedTest
    @EnumSource
    void seedsAndDamagedSeeds(FuzzTarget target) throws IOException {
        List<byte[]> seeds = target.seeds();
        assertFalse(seeds.isEmpty());
        seeds.forEach(target::check);
        long seed = TestEngines.seed(21);
        Random random = new Random(seed);
        for (int round = 0; round < Extent.cases(300, 10_000); round++) {
            byte[] data = Damage.of(seeds.get(random.nextInt(seeds.size())), random);
            try {
                assertTimeout(LIMIT, () -> target.check(data));
            } catch (RuntimeException | Error e) {
                fail(target + ", round " + round + ": repeat it with -Dcellfuse.seed=" + seed, e);
            }
        }
    }
}
