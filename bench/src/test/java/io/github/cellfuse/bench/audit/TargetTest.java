package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetTest {
    /** Computed by hand. AMD's numbers are what LLVM writes as {@code Occupancy}. */
    @ParameterizedTest
    @CsvSource({
        // 256/116 = 2
        "gfx906,  115, 2",
        // 256/24 = 10 = the slots
        "gfx906,  22,  10",
        // 512/144 = 3
        "gfx90a,  138, 3",
        // 512/88 = 5
        "gfx90a,  88,  5",
        "gfx942,  128, 4",
        // 1024/128 = 8
        "gfx1030, 115, 8",
        // 1536/144 = 10
        "gfx1100, 122, 10",
        // 65536 / (136 * 32) = 15, 3 for each partition
        "sm_75,   136, 3",
        "sm_80,   64,  8",
        // 64 slots of a multiprocessor
        "sm_90,   32,  16",
        "sm_90,   0,   16"
    })
    void registersAllowThisManyWaves(String target, int registers, int waves) {
        assertEquals(waves, Target.named(target).waves(registers));
    }
}
